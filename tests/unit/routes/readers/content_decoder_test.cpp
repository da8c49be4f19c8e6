#include "routes/readers/content_decoder.hpp"

#include "tests/support/deflate.hpp"
#include "tests/unit/routes/readers/support.hpp"

namespace tollgate::routes::readers {
namespace {

using tests::deflated;
using tests::framing;

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
  EXPECT_EQ(decode("gzip", deflated(bytes)), decoded(bytes));
  EXPECT_EQ(decode("X-GZIP", deflated(bytes)), decoded(bytes));
  EXPECT_EQ(decode("deflate", deflated(bytes, framing::zlib)), decoded(bytes));
  EXPECT_EQ(decode("deflate", deflated(bytes, framing::none)), decoded(bytes));
  EXPECT_EQ(decode("gzip", deflated("")), decoded(""));
  for (const auto* encoding : {"br", "zstd", "compress", "gzip, gzip", "gzip ", "*"})
    EXPECT_EQ(decode(encoding, deflated(bytes)), (outcome{fault::unsupported, ""})) << encoding;
}

TEST(content_decoder, joins_the_members_of_gzip) {
  EXPECT_EQ(decode("gzip", deflated("foo") + deflated("") + deflated("bar")), decoded("foobar"));
  EXPECT_EQ(decode("gzip", deflated("foo") + "junk").problem, fault::malformed);
  EXPECT_EQ(
      decode("deflate", deflated("foo", framing::zlib) + deflated("bar", framing::zlib)).problem,
      fault::malformed);
}

TEST(content_decoder, tells_what_is_wrong) {
  const auto body = deflated("audio audio audio audio");
  for (std::size_t length = 0; length < body.size(); ++length)
    EXPECT_EQ(decode("gzip", std::string_view{body}.substr(0, length)).problem, fault::truncated);
  auto broken = body;
  broken[broken.size() - 6] ^= 1;  // the checksum
  EXPECT_EQ(decode("gzip", broken), (outcome{fault::malformed, "audio audio audio audio"}));
  EXPECT_EQ(decode("gzip", "RIFF").problem, fault::malformed);
  EXPECT_EQ(decode("deflate", deflated("x")).problem, fault::malformed);
}

TEST(content_decoder, limits_the_expansion) {
  const std::string silence(3'000'000, '\0');
  EXPECT_EQ(decode("gzip", deflated(silence)).problem, fault::expands_too_far);
  EXPECT_EQ(decode("gzip", deflated(silence), {.most_ratio = 2000}), decoded(silence));
  EXPECT_EQ(decode("gzip", deflated(silence), {.free_bytes = 3'000'000}), decoded(silence));
  EXPECT_EQ(decode("gzip", deflated(silence), {.most_bytes = 3'000'000, .most_ratio = 2000}),
            decoded(silence));
  const auto cut = decode("gzip", deflated(silence), {.most_bytes = 2'999'999, .most_ratio = 2000});
  EXPECT_EQ(cut.problem, fault::expands_too_far);
  // Many small members do not avoid the limit.
  std::string many;
  for (int i = 0; i < 40; ++i) many += deflated(silence.substr(0, 100'000));
  EXPECT_EQ(decode("gzip", many).problem, fault::expands_too_far);
}

}  // namespace
}  // namespace tollgate::routes::readers
