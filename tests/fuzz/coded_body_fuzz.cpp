// What each encoder has written comes out again, alone and stacked. Whatever was tampered with is
// refused or decoded within the limit, and never taken if a server could read it without decoding.
#include "routes/readers/coded_body.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/coded.hpp"
#include "tests/support/deflate.hpp"

using namespace tollgate::routes::readers;
using tollgate::fuzz::require;
using tollgate::tests::brotli_of;
using tollgate::tests::deflated;
using tollgate::tests::framing;
using tollgate::tests::zstd_of;

namespace {

const decoding_limits limits{.most_bytes = 100'000, .most_ratio = 100, .free_bytes = 50'000};

decoded_text decode(std::string_view coding, std::string_view body) {
  auto out = decode_body(coding, body, limits);
  if (out.is != decoding::done) return out;
  require(out.text.size() <= limits.most_bytes, "the limit holds");
  const auto first = body.find_first_not_of(" \t\r\n");
  require(first == body.npos || body[first] != '{', "an object is not taken for compressed data");
  return out;
}

void comes_out(std::string_view coding, std::string_view body, std::string_view text) {
  const auto out = decode_body(coding, body, limits);
  // A layer of noise may begin like JSON; then it is refused, not taken for another text.
  if (out.is == decoding::ambiguous) return;
  require(out.is == decoding::done && out.text == text, "it comes out as it went in");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5 || size > 40'000) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data) + 4, size - 4};
  for (const auto* coding : {"gzip", "deflate", "zstd", "br", "gzip, br", "zstd, deflate"})
    decode(coding, text);
  std::string bodies[]{deflated(text), deflated(text, framing::zlib), deflated(text, framing::none),
                       zstd_of(text), brotli_of(text, data[3] % 6, 16 + data[3] % 9)};
  const char* codings[]{"gzip", "deflate", "deflate", "zstd", "br"};
  for (std::size_t i = 0; i < std::size(bodies); ++i) {
    comes_out(codings[i], bodies[i], text);
    comes_out(std::string{codings[i]} + ", gzip", deflated(bodies[i]), text);
  }
  const std::size_t place = data[0] << 8 | data[1];
  for (std::size_t i = 0; i < std::size(bodies); ++i) {
    auto& body = bodies[i];
    body[place % body.size()] = static_cast<char>(data[2]);
    if (decode(codings[i], body).is != decoding::done) continue;
    require(decode(codings[i], body + "x").is != decoding::done, "nothing may follow");
  }
  return 0;
}
