// What zlib has compressed comes out again, also as several members; a compressed body that was
// tampered with is decoded alike in any pieces, up to the same limits.
#include <zlib.h>

#include "routes/readers/content_decoder.hpp"
#include "tests/fuzz/reader_outcome.hpp"

using namespace tollgate::routes::readers;
using namespace tollgate::fuzz;

namespace {

std::string compress(std::string_view bytes, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

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
  auto gzip = compress(text.substr(0, half), 15 + 16) + compress(text.substr(half), 15 + 16);
  const outcome expected{fault::none, std::string{text}};
  require(decode("gzip", gzip) == expected, "gzip comes out again");
  require(decode("deflate", compress(text, 15)) == expected, "deflate comes out again");
  require(decode("deflate", compress(text, -15)) == expected, "so it does without a frame");
  const std::size_t place = data[0] << 8 | data[1];
  gzip[place % gzip.size()] = static_cast<char>(data[2]);
  decode("gzip", gzip);
  return 0;
}
