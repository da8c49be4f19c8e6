#include "routes/readers/coded_body.hpp"

#include <gtest/gtest.h>

#include "tests/support/coded.hpp"
#include "tests/support/deflate.hpp"
#include "tests/unit/routes/readers/support.hpp"

namespace tollgate::routes::readers {
namespace {

using tests::brotli_of;
using tests::deflated;
using tests::framing;
using tests::zstd_of;

decoded_text decode(std::string_view coding, std::string_view body, decoding_limits limits = {}) {
  return decode_body(coding, body, limits);
}
decoding how(std::string_view coding, std::string_view body, decoding_limits limits = {}) {
  return decode(coding, body, limits).is;
}

const std::string json = R"({"model":"gpt-4","messages":[{"role":"user","content":"Hello"}]})";

// Each coding, as its usual encoder writes it.
struct encoder {
  std::string coding;
  std::string (*encode)(std::string_view);
};
const std::vector<encoder> encoders{
    {"gzip", [](std::string_view text) { return deflated(text); }},
    {"X-Gzip", [](std::string_view text) { return deflated(text); }},
    {"deflate", [](std::string_view text) { return deflated(text, framing::zlib); }},
    {"Deflate", [](std::string_view text) { return deflated(text, framing::none); }},
    {"zstd", [](std::string_view text) { return zstd_of(text); }},
    {"br", [](std::string_view text) { return brotli_of(text); }}};

TEST(coded_body, comes_out_as_it_went_in) {
  const auto noise = random_bytes(300'000);
  std::string large = "[";
  for (int i = 0; large.size() < 2'000'000; ++i)
    large += json + std::to_string(static_cast<unsigned char>(noise[i * 3])) +
             std::to_string(static_cast<unsigned char>(noise[i * 5])) + ",\n";
  for (const auto& [coding, encode] : encoders)
    for (const std::string_view text : {std::string_view{json}, std::string_view{noise},
                                        std::string_view{large}, std::string_view{}}) {
      const auto out = decode(coding, encode(text));
      EXPECT_EQ(out.is, decoding::done) << coding << ": " << out.text;
      EXPECT_TRUE(out.text == text) << coding;
    }
  EXPECT_EQ(decode("", json).text, json);
  EXPECT_EQ(decode("identity", json).text, json);
}

// Each piece is followed by a question, so that none of them takes long.
TEST(coded_body, that_takes_too_long_is_given_up) {
  const auto noise = random_bytes(300'000);
  for (const auto& [coding, encode] : encoders) {
    const auto body = encode(noise);
    for (const int pieces : {0, 1, 5, 50}) {
      int left = pieces;
      decoding_limits limits;
      limits.may_go_on = [&left] { return left-- > 0; };
      EXPECT_EQ(how(coding, body, limits), decoding::takes_too_long) << coding << ' ' << pieces;
    }
  }
}

TEST(coded_body, asks_before_it_takes_more_memory) {
  const std::string text(300'000, 'x');
  for (const auto& [coding, encode] : encoders) {
    std::size_t most = 0;
    decoding_limits limits;
    limits.may_use = [&most](std::size_t bytes) { return (most += bytes) < 1'000'000; };
    EXPECT_EQ(how(coding, encode(text), limits), decoding::done) << coding;
    EXPECT_GE(most, text.size()) << coding;
    limits.may_use = [](std::size_t bytes) { return bytes < 200'000; };
    EXPECT_EQ(how(coding, encode(text), limits), decoding::no_memory) << coding;
  }
}

TEST(coded_body, undoes_a_list_from_its_end) {
  EXPECT_EQ(decode("gzip, zstd", zstd_of(deflated(json))).text, json);
  EXPECT_EQ(decode("br,gzip", deflated(brotli_of(json))).text, json);
  EXPECT_EQ(decode("gzip, gzip", deflated(deflated(json))).text, json);
  EXPECT_EQ(decode("identity, gzip", deflated(json)).text, json);
  EXPECT_EQ(how("zstd, gzip", zstd_of(deflated(json))), decoding::malformed);
  EXPECT_EQ(how("gzip, gzip", deflated(json)), decoding::ambiguous);  // JSON below one of them
}

TEST(coded_body, knows_its_codings) {
  for (const auto* known : {"", "gzip", "GZIP", "x-gzip", "deflate", "zstd", "br", "identity",
                            "gzip, br", " gzip ,zstd,\tbr "})
    EXPECT_TRUE(knows_codings(known)) << known;
  for (const auto* unknown : {"compress", "x-zstd", "gzip;q=1", "gzip br", ",", "gzip,", "*", "dcb",
                              "aws-chunked", "gzip, gzip, gzip, gzip"})
    EXPECT_FALSE(knows_codings(unknown)) << unknown;
}

TEST(coded_body, is_refused_unless_it_is_whole_and_alone) {
  for (const auto& [coding, encode] : encoders) {
    const auto body = encode(json);
    for (std::size_t length = 0; length < body.size(); ++length)
      EXPECT_NE(how(coding, std::string_view{body}.substr(0, length)), decoding::done)
          << coding << ' ' << length;
    EXPECT_EQ(how(coding, body + '\0'), decoding::malformed) << coding;
    // Some decoders read the second one, some do not.
    EXPECT_EQ(how(coding, body + body), decoding::malformed) << coding;
    EXPECT_NE(how(coding, json), decoding::done) << coding;
    EXPECT_NE(how(coding, ""), decoding::done) << coding;
  }
  auto damaged = deflated(json);
  damaged[damaged.size() - 6] ^= 1;  // the checksum
  EXPECT_EQ(how("gzip", damaged), decoding::malformed);
  const std::string skipped{"\x50\x2A\x4D\x18\x04\0\0\0abcd", 12};
  EXPECT_EQ(how("zstd", skipped + zstd_of(json)), decoding::malformed);
  EXPECT_EQ(how("zstd", zstd_of(json) + skipped), decoding::malformed);
}

TEST(coded_body, limits_the_expansion) {
  const std::string zeros(12'000'000, '0');
  for (const auto& [coding, encode] : encoders) {
    const auto bomb = encode(zeros);
    EXPECT_EQ(how(coding, bomb), decoding::expands_too_far) << coding;
    const decoding_limits enough{.most_bytes = zeros.size(), .most_ratio = 10'000'000};
    EXPECT_EQ(how(coding, bomb, enough), decoding::done) << coding;
    const decoding_limits less{.most_bytes = zeros.size() - 1, .most_ratio = 10'000'000};
    EXPECT_EQ(how(coding, bomb, less), decoding::expands_too_far) << coding;
    // By the ratio, however many bytes are allowed.
    EXPECT_EQ(how(coding, bomb, {.most_bytes = 64'000'000}), decoding::expands_too_far) << coding;
  }
  // Each coding of a list is measured against what came.
  EXPECT_EQ(how("gzip, gzip", deflated(deflated(zeros))), decoding::expands_too_far);
  // A little text may expand as it likes.
  EXPECT_EQ(how("gzip", deflated(std::string(900'000, '0'))), decoding::done);
}

TEST(coded_body, refuses_a_window_that_needs_much_memory) {
  // A frame of zstd with a window of 128 MiB, an empty raw block, and nothing else.
  const std::string large_window{"\x28\xB5\x2F\xFD\x00\x88\x01\x00\x00", 9};
  EXPECT_EQ(decode("zstd", large_window).text, "its window is larger than 8 MiB");
  const std::string usual_window{"\x28\xB5\x2F\xFD\x00\x58\x01\x00\x00", 9};
  EXPECT_EQ(how("zstd", usual_window), decoding::done);
}

// A stream of brotli that carries any bytes in a block that decoders skip (RFC 7932, 9.2). The
// first byte has the window and the block's kind, so it is not free.
std::string with_skipped(std::string_view bytes, std::string_view then) {
  // WBITS 16 (0), ISLAST 0, MNIBBLES 11, reserved 0, MSKIPBYTES 01, then the length minus 1.
  const auto length = bytes.size() - 1;
  const unsigned head = 0U | 0U << 1 | 3U << 2 | 0U << 4 | 1U << 5 | (length & 0xFF) << 7;
  std::string out;
  out += static_cast<char>(head & 0xFF);
  out += static_cast<char>(head >> 8);
  out += bytes;
  auto rest = brotli_of(then, 5, 16);
  // Behind a block that ends on a byte comes the rest of a stream without its window bit.
  std::string shifted;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const unsigned low = static_cast<unsigned char>(rest[i]) >> 1;
    const unsigned high = i + 1 < rest.size() ? static_cast<unsigned char>(rest[i + 1]) & 1U : 0U;
    shifted += static_cast<char>(low | high << 7);
  }
  return out + shifted;
}

TEST(coded_body, is_refused_where_it_reads_as_json_without_decoding) {
  // This is how a caller would show a cheap model to a decoder and a dear one to a server that
  // ignores the coding.
  const auto cheap = R"({"model":"gpt-3.5","x":")" + std::string(300, 'a') + "\"}";
  const auto hidden = with_skipped(R"({"model":"gpt-4"})", cheap);
  EXPECT_EQ(decode("br", hidden).text, cheap);  // two bytes before it: not JSON
  for (const std::string_view before : {"", " ", "\t\r\n ", "\xEF\xBB\xBF"})
    for (const std::string_view text :
         {R"({"model":"gpt-4"})", R"([{"model":"gpt-4"}])", R"(["gpt-4",1])", "[ [1]"})
      for (const auto* coding : {"gzip", "deflate", "zstd", "br", "br, gzip"})
        EXPECT_EQ(how(coding, std::string{before} + std::string{text}), decoding::ambiguous)
            << coding << ' ' << before << text;
}

TEST(coded_body, is_refused_where_it_reads_as_json_in_another_encoding) {
  for (const std::string_view text :
       {std::string_view{"{\0\"\0m\0", 6}, std::string_view{"\0{\0\"\0m", 6},
        std::string_view{"\xFF\xFE{\0\"\0", 6}, std::string_view{"\xFE\xFF\0 \0{", 6},
        std::string_view{"\0\0\0{\0\0\0\"", 8}, std::string_view{"{\0\0\0\"\0\0\0", 8},
        std::string_view{"\0[\0\"\0m", 6}})
    for (const auto* coding : {"deflate", "br"})
      EXPECT_EQ(how(coding, text), decoding::ambiguous) << coding;
}

TEST(coded_body, of_every_encoder_setting_is_not_taken_for_json) {
  std::string text = "[";
  for (int i = 0; text.size() < 400'000; ++i) {
    text += json + std::to_string(i * 7919 % 1000) + ",";
    if (i % 977 != 0) continue;
    for (int quality = 0; quality <= 9; quality += 3)
      for (int window = 16; window <= 24; window += 2)
        EXPECT_EQ(how("br", brotli_of(text, quality, window)), decoding::done) << text.size();
    for (int level = 0; level <= 9; level += 3) {
      EXPECT_EQ(how("deflate", deflated(text, framing::none, level)), decoding::done);
      EXPECT_EQ(how("deflate", deflated(text, framing::zlib, level)), decoding::done);
    }
  }
}

}  // namespace
}  // namespace tollgate::routes::readers
