// What zlib has compressed comes out again, also as several members; a compressed body that was
// tampered with is decoded alike in any pieces, up to the same limits.
#include "routes/readers/content_decoder.hpp"
#include "tests/fuzz/reader_outcome.hpp"
#include "tests/support/deflate.hpp"

using namespace tollgate::routes::readers;
using namespace tollgate::fuzz;
using tollgate::tests::deflated;
using tollgate::tests::framing;

namespace {

outcome decode(std::string_view encoding, std::string_view body) {
  const expansion_limits limits{.most_bytes = 100'000};
  const auto read =
      read_body([&](sink& to) { return make_content_decoder(encoding, limits, to); }, body);
  require(read.bytes.size() <= limits.most_bytes, "the limit holds");
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 3, size - 3};
  decode("gzip", text);
  decode("deflate", text);
  const auto half = text.size() / 2;
  auto gzip = deflated(text.substr(0, half)) + deflated(text.substr(half));
  const outcome expected{fault::none, std::string{text}};
  require(decode("gzip", gzip) == expected, "gzip comes out again");
  require(decode("deflate", deflated(text, framing::zlib)) == expected, "deflate comes out again");
  require(decode("deflate", deflated(text, framing::none)) == expected,
          "so it does without a frame");
  const std::size_t place = data[0] << 8 | data[1];
  gzip[place % gzip.size()] = static_cast<char>(data[2]);
  decode("gzip", gzip);
  return 0;
}
