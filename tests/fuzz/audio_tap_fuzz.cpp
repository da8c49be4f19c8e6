// The whole way of a body, from its content encoding to its seconds: any pieces count alike, and
// the same audio costs the same in every envelope, so that none is a cheaper one.
#include "routes/audio_tap.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/deflate.hpp"

using namespace tollgate::routes;
using tollgate::fuzz::require;

namespace {

struct counted {
  meters::state status;
  std::int64_t used;
  bool operator==(const counted&) const = default;
};

counted count(const audio_tap::body_facts& facts, std::string_view body, std::size_t longest) {
  audio_tap tap{audio_settings{}, facts};
  for (std::size_t n = 1; !body.empty(); n = longest == 0 ? n : n * 5 % longest + 1) {
    const auto piece = longest == 0 ? body : body.substr(0, n);
    tap.write(piece);
    require(tap.used().amount >= 0, "nothing has a negative length");
    body.remove_prefix(piece.size());
  }
  tap.finish();
  require(tap.status() != meters::state::undecided, "at the end it is decided");
  return {tap.status(), tap.used().amount};
}

void count_in_any_pieces(const audio_tap::body_facts& facts, std::string_view body) {
  const auto whole = count(facts, body, 0);
  for (const std::size_t longest : {1, 7, 117})
    require(count(facts, body, longest) == whole, "pieces cost what the whole does");
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out += i <= bytes.size() ? digits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

std::string event(std::string_view bytes) {
  return "data: {\"type\":\"speech.audio.delta\",\"audio\":\"" + base64(bytes) + "\"}\n\n";
}

void compare_envelopes(std::string_view audio) {
  constexpr std::string_view boundary = "=_tollgate_=";
  const auto plain = count({"audio/mpeg", ""}, audio, 0);
  // Events of speech are samples where nothing says otherwise.
  const auto samples = count({"audio/mpeg", "", true}, audio, 0);
  const auto costs_the_same = [&](std::string_view type, bool upload, const std::string& body) {
    const auto& as = type == "text/event-stream" ? samples : plain;
    const auto other = count({type, "", false, upload}, body, 117);
    require(other.status == as.status, "an envelope does not hide audio");
    require(as.status != meters::state::measuring || other.used == as.used,
            "an envelope makes nothing cheaper");
  };
  // Where the packed bytes are audio, too, they are what counts.
  const auto packed =
      count({"audio/mpeg", "gzip", false, true}, tollgate::tests::deflated(audio), 117);
  require(packed.status == plain.status, "gzip does not hide audio");
  require(plain.status != meters::state::measuring || packed.used >= plain.used,
          "gzip makes nothing cheaper");

  const auto half = audio.size() / 2;
  costs_the_same("application/json", true, "{\"audio\":\"" + base64(audio) + "\"}");
  costs_the_same("text/event-stream", false,
                 event(audio.substr(0, half)) + event(audio.substr(half)));
  if (audio.find(boundary) != audio.npos) return;
  costs_the_same("multipart/form-data; boundary=\"=_tollgate_=\"", true,
                 "--=_tollgate_=\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" +
                     std::string{audio} + "\r\n--=_tollgate_=--\r\n");
}

}  // namespace

// The first line is the content type, of an answer if it begins so: `<`; the second the encoding,
// the rest the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tollgate::fuzz::input in{data, size};
  auto type = in.line();
  const auto encoding = in.line();
  const bool answer = type.starts_with('<');
  type.remove_prefix(answer ? 1 : 0);
  count_in_any_pieces({type, encoding, false, !answer}, in.rest());
  if (answer) count_in_any_pieces({type, encoding, true}, in.rest());
  compare_envelopes(in.rest());
  return 0;
}
