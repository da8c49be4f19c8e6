#include "routes/readers/content_decoder.hpp"

#include <zlib.h>

#include "tests/unit/routes/readers/support.hpp"

namespace tollgate::routes::readers {
namespace {

enum windows { raw = -15, framed = 15, gzipped = 31 };

std::string compress(std::string_view bytes, windows with = gzipped) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, with, 8, Z_DEFAULT_STRATEGY);
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

outcome decode(std::string_view encoding, std::string_view body, expansion_limits limits = {}) {
  return read_body([&](sink& to) { return make_content_decoder(encoding, limits, to); }, body);
}
outcome decoded(std::string bytes) {
  return {fault::none, std::move(bytes)};
}

TEST(content_decoder, undoes_what_it_knows) {
  const auto bytes = random_bytes(40'000);
  EXPECT_EQ(decode("", bytes), decoded(bytes));
  EXPECT_EQ(decode("Identity", bytes), decoded(bytes));
  EXPECT_EQ(decode("gzip", compress(bytes)), decoded(bytes));
  EXPECT_EQ(decode("X-GZIP", compress(bytes)), decoded(bytes));
  EXPECT_EQ(decode("deflate", compress(bytes, framed)), decoded(bytes));
  EXPECT_EQ(decode("deflate", compress(bytes, raw)), decoded(bytes));
  EXPECT_EQ(decode("gzip", compress("")), decoded(""));
  for (const auto* encoding : {"br", "zstd", "compress", "gzip, gzip", "gzip ", "*"})
    EXPECT_EQ(decode(encoding, compress(bytes)), (outcome{fault::unsupported, ""})) << encoding;
}

TEST(content_decoder, joins_the_members_of_gzip) {
  EXPECT_EQ(decode("gzip", compress("foo") + compress("") + compress("bar")), decoded("foobar"));
  EXPECT_EQ(decode("gzip", compress("foo") + "junk").problem, fault::malformed);
  EXPECT_EQ(decode("deflate", compress("foo", framed) + compress("bar", framed)).problem,
            fault::malformed);
}

TEST(content_decoder, tells_what_is_wrong) {
  const auto body = compress("audio audio audio audio");
  for (std::size_t length = 0; length < body.size(); ++length)
    EXPECT_EQ(decode("gzip", std::string_view{body}.substr(0, length)).problem, fault::truncated);
  auto broken = body;
  broken[broken.size() - 6] ^= 1;  // the checksum
  EXPECT_EQ(decode("gzip", broken), (outcome{fault::malformed, "audio audio audio audio"}));
  EXPECT_EQ(decode("gzip", "RIFF").problem, fault::malformed);
  EXPECT_EQ(decode("deflate", compress("x")).problem, fault::malformed);
}

TEST(content_decoder, limits_the_expansion) {
  const std::string silence(3'000'000, '\0');
  EXPECT_EQ(decode("gzip", compress(silence)).problem, fault::expands_too_far);
  EXPECT_EQ(decode("gzip", compress(silence), {.most_ratio = 2000}), decoded(silence));
  EXPECT_EQ(decode("gzip", compress(silence), {.free_bytes = 3'000'000}), decoded(silence));
  EXPECT_EQ(decode("gzip", compress(silence), {.most_bytes = 3'000'000, .most_ratio = 2000}),
            decoded(silence));
  const auto cut = decode("gzip", compress(silence), {.most_bytes = 2'999'999, .most_ratio = 2000});
  EXPECT_EQ(cut.problem, fault::expands_too_far);
  // Many small members are no way around.
  std::string many;
  for (int i = 0; i < 40; ++i) many += compress(silence.substr(0, 100'000));
  EXPECT_EQ(decode("gzip", many).problem, fault::expands_too_far);
}

}  // namespace
}  // namespace tollgate::routes::readers
