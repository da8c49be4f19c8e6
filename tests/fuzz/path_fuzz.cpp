// Any target is refused or has one normal form, which normalising leaves as it is and which nobody
// can read as anything else.
#include <algorithm>

#include "routes/classify.hpp"
#include "routes/normal_path.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate::routes;
using tollgate::fuzz::require;

namespace {

// What a server that decodes once sees: no separator, dot segment or control character may appear
// that was not there before.
void check_normal_form(const std::string& path) {
  require(path.starts_with('/'), "a normal path begins with a slash");
  require(path.find("//") == path.npos, "a normal path has no empty segments");
  const auto framed = path + "/";
  require(framed.find("/../") == path.npos && framed.find("/./") == path.npos,
          "a normal path has no dot segments");
  const auto decoded = percent_decode(path);
  const auto other = with_slashes_decoded(path);
  require(std::count(decoded.begin(), decoded.end(), '/') ==
              std::count(other.begin(), other.end(), '/'),
          "only an encoded slash makes a slash");
  require(other == path || decoded.find("//") == decoded.npos, "and no empty segment");
  const auto other_read = normalise_path(other);
  require(
      std::holds_alternative<std::string>(other_read) && std::get<std::string>(other_read) == other,
      "the other reading is a normal form, too");
  const auto decoded_frame = decoded + "/";
  require(decoded_frame.find("/../") == path.npos && decoded_frame.find("/./") == path.npos,
          "decoding makes no dot segments");
  for (const char c : decoded)
    require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F && c != '\\' && c != ';',
            "decoding makes no characters that servers disagree about");
  require(!has_broken_encoding(path), "a normal path is soundly encoded");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tollgate::fuzz::input in{data, size};
  const auto method = in.line();
  const header_view host{"host", in.line()};
  const request_view request{method, in.rest(), {&host, 1}};
  const auto read = read_target(request);
  const auto* clean = std::get_if<clean_target>(&read);
  if (clean == nullptr || clean->path == "*") return 0;
  check_normal_form(clean->path);
  const auto again = normalise_path(clean->path, encoded_slashes::kept);
  require(std::holds_alternative<std::string>(again) && std::get<std::string>(again) == clean->path,
          "normalising twice is normalising once");
  return 0;
}
