// A JSON body in any pieces is read alike, and as simdjson and a naive base64 decoder read it.
#include <algorithm>
#include <memory>

#include "routes/readers/json_base64.hpp"
#include "routes/text.hpp"
#include "tests/fuzz/reader_outcome.hpp"

using namespace tollgate::routes;
using namespace tollgate::routes::readers;
using namespace tollgate::fuzz;

namespace {

// What simdjson says of the body: a value at the pointer, or none.
void compare(const outcome& read, const std::string& text, const json_pointer& where) {
  const json_body body{text};
  const auto brackets =
      std::count_if(text.begin(), text.end(), [](char c) { return c == '{' || c == '['; });
  if (!body.error().empty()) {
    // It refuses numbers that are out of range and surrogates that are alone; we do not read them.
    const bool stricter = body.error().find("number") != std::string::npos ||
                          body.error().find("string") != std::string::npos;
    require(stricter || read.problem != fault::none, "what is no JSON is not read");
    return;
  }
  const auto value = body.read(where);
  std::string audio;
  const bool sound =
      value.is == reading::state::present && value.scalar && decode_base64(value.text, audio);
  if (read.problem == fault::none)
    require(sound && audio == read.bytes, "both find the same audio");
  if (read.problem == fault::missing)
    require(value.is != reading::state::ambiguous, "both miss it");
  if (read.problem == fault::truncated) require(false, "a complete body is not truncated");
  if (sound && brackets <= 64 && text.find_first_of("0123456789tfn") == text.npos)
    require(read.problem == fault::none, "audio is found");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  static const auto where = std::get<json_pointer>(json_pointer::parse("/a/d"));
  const auto read =
      read_body([](sink& to) { return std::make_unique<json_base64>(where, to); }, text);
  if (is_utf8(text)) compare(read, text, where);
  return 0;
}
