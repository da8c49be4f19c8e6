// Base64 in any pieces is decoded as a naive decoder does it, and refused where that refuses.
#include <memory>

#include "tests/fuzz/reader_outcome.hpp"
#include "tests/support/base64_text.hpp"

using namespace tollgate::routes::readers;
using namespace tollgate::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto read =
      read_body([](sink& to) { return std::make_unique<tollgate::tests::base64_text>(to); }, text);
  std::string expected;
  require(decode_base64(text, expected) == (read.problem == fault::none),
          "both or neither take it");
  if (read.problem == fault::none) require(read.bytes == expected, "both decode it alike");
  return 0;
}
