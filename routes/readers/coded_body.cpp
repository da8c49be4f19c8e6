#include "routes/readers/coded_body.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "routes/text.hpp"

namespace tollgate::routes::readers {
namespace {

enum class coding : std::uint8_t { gzip, deflate, zstd, brotli };

std::optional<coding> coding_of(std::string_view name) {
  const auto is = [name](std::string_view other) { return equal_ignoring_case(name, other); };
  if (is("gzip") || is("x-gzip")) return coding::gzip;
  if (is("deflate")) return coding::deflate;
  if (is("zstd")) return coding::zstd;
  if (is("br")) return coding::brotli;
  return std::nullopt;
}

// In the order in which they were applied. Empty: unknown codings, or too many.
std::optional<std::vector<coding>> codings_of(std::string_view list) {
  constexpr std::size_t most = 3;
  std::vector<coding> out;
  if (without_blanks(list).empty()) return out;
  for (std::size_t at = 0; at <= list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    const auto name = without_blanks(list.substr(at, end - at));
    at = end + 1;
    if (equal_ignoring_case(name, "identity")) continue;
    const auto known = coding_of(name);
    if (!known || out.size() == most) return std::nullopt;
    out.push_back(*known);
  }
  return out;
}

constexpr std::string_view broken = "it is damaged or cut short";
constexpr std::string_view several =
    "more follows its end, which some servers would read and some would not";

decoded_text failed(decoding how, std::string_view why) {
  return {how, std::string{why}};
}

// How far one coding may expand.
struct allowance {
  std::size_t most = 0;
  const std::function<bool(std::size_t)>& may_use;
  const std::function<bool()>& may_go_on;
};

// The body in pieces that take little time, whatever they contain.
class input {
 public:
  explicit input(std::string_view body) : left_{body} {}

  bool empty() const { return left_.empty(); }
  std::string_view next() {
    constexpr std::size_t most_at_once = 4 * 1024;
    const auto piece = left_.substr(0, most_at_once);
    left_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view left_;
};

// The decoded text so far, up to a limit.
class output {
 public:
  explicit output(const allowance& limits) : limits_{limits}, scratch_(piece, '\0') {}

  char* begin() { return scratch_.data(); }
  std::size_t room() const { return scratch_.size(); }
  // The decoder has written so many bytes at begin(). False: no more; see failure().
  bool take(std::size_t bytes) {
    is_late_ = limits_.may_go_on && !limits_.may_go_on();
    if (is_late_ || bytes > limits_.most - text_.size()) return false;
    if (text_.size() + bytes > text_.capacity() && !grow(text_.size() + bytes)) return false;
    text_.append(scratch_, 0, bytes);
    return true;
  }
  decoded_text failure() const {
    if (no_memory_) return failed(decoding::no_memory, "there is no memory to decode it");
    if (is_late_) return failed(decoding::takes_too_long, "it takes too long to decode");
    return failed(decoding::expands_too_far, "it expands too far");
  }
  std::string take_text() { return std::move(text_); }

 private:
  bool grow(std::size_t needed) {
    const auto capacity = std::max(needed, 2 * text_.capacity());
    no_memory_ = limits_.may_use && !limits_.may_use(capacity);
    if (!no_memory_) text_.reserve(capacity);
    return !no_memory_;
  }

  static constexpr std::size_t piece = 64 * 1024;
  const allowance& limits_;
  bool no_memory_ = false, is_late_ = false;
  std::string scratch_, text_;
};

// windowBits of inflateInit2().
enum class frame_of : int { none = -15, zlib = 15, gzip = 15 + 16 };

decoded_text inflate_all(frame_of how, std::string_view body, const allowance& limits) {
  z_stream stream{};
  if (inflateInit2(&stream, static_cast<int>(how)) != Z_OK)
    return failed(decoding::no_memory, "there is no memory to decode it");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closing{&stream, inflateEnd};
  output out{limits};
  for (input in{body};;) {
    if (stream.avail_in == 0) {
      const auto part = in.next();
      // zlib does not write to its input.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
      stream.avail_in = static_cast<uInt>(part.size());
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.begin());
    stream.avail_out = static_cast<uInt>(out.room());
    const auto result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END) return failed(decoding::malformed, broken);
    if (!out.take(out.room() - stream.avail_out)) return out.failure();
    if (result != Z_STREAM_END) continue;
    if (stream.avail_in > 0 || !in.empty()) return failed(decoding::malformed, several);
    return {decoding::done, out.take_text()};
  }
}

// Of the attempt to decode in another way: whether a server could succeed with it.
bool is_another_reading(const decoded_text& other) {
  return other.is == decoding::done || other.is == decoding::expands_too_far;
}
bool is_unknown(const decoded_text& other) {
  return other.is == decoding::no_memory || other.is == decoding::takes_too_long;
}

// In zlib's frame the lower half of the first byte is 8. Some servers try the other form if the
// first one fails, so a body that both forms accept has two readings.
decoded_text undo_deflate(std::string_view body, const allowance& limits) {
  const bool framed = !body.empty() && (body.front() & 0x0F) == 8;
  if (!framed) return inflate_all(frame_of::none, body, limits);
  auto out = inflate_all(frame_of::zlib, body, limits);
  if (out.is != decoding::done) return out;
  auto bare = inflate_all(frame_of::none, body, limits);
  if (is_another_reading(bare))
    return failed(decoding::ambiguous, "it can be decoded with and without zlib's frame");
  return is_unknown(bare) ? std::move(bare) : std::move(out);
}

// RFC 9659: a decoder for HTTP need not accept a window above 8 MiB.
constexpr int most_window_log = 23;

decoded_text undo_zstd(std::string_view body, const allowance& limits) {
  constexpr std::string_view magic = "\x28\xB5\x2F\xFD";
  if (!body.starts_with(magic))
    return failed(decoding::malformed, "it does not begin with a frame of zstd");
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> decoder{ZSTD_createDCtx(),
                                                                        ZSTD_freeDCtx};
  if (!decoder) return failed(decoding::no_memory, "there is no memory to decode it");
  ZSTD_DCtx_setParameter(decoder.get(), ZSTD_d_windowLogMax, most_window_log);
  output out{limits};
  input in{body};
  for (ZSTD_inBuffer part{};;) {
    if (part.pos == part.size) {
      const auto next = in.next();
      part = {next.data(), next.size(), 0};
    }
    ZSTD_outBuffer piece{out.begin(), out.room(), 0};
    const auto left = ZSTD_decompressStream(decoder.get(), &piece, &part);
    if (ZSTD_isError(left) != 0) {
      const bool window = ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge;
      return failed(decoding::malformed, window ? "its window is larger than 8 MiB" : broken);
    }
    if (!out.take(piece.pos)) return out.failure();
    const bool all_read = part.pos == part.size && in.empty();
    if (left == 0 && !all_read) return failed(decoding::malformed, several);
    if (left == 0) return {decoding::done, out.take_text()};
    if (all_read && piece.pos < piece.size) return failed(decoding::malformed, broken);
  }
}

decoded_text undo_brotli(std::string_view body, const allowance& limits) {
  const std::unique_ptr<BrotliDecoderState, void (*)(BrotliDecoderState*)> decoder{
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), BrotliDecoderDestroyInstance};
  if (!decoder) return failed(decoding::no_memory, "there is no memory to decode it");
  output out{limits};
  input in{body};
  std::size_t left = 0;
  const std::uint8_t* next = nullptr;
  for (;;) {
    if (left == 0) {
      const auto part = in.next();
      left = part.size();
      next = reinterpret_cast<const std::uint8_t*>(part.data());
    }
    auto room = out.room();
    auto* to = reinterpret_cast<std::uint8_t*>(out.begin());
    const auto result =
        BrotliDecoderDecompressStream(decoder.get(), &left, &next, &room, &to, nullptr);
    if (!out.take(out.room() - room)) return out.failure();
    if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) continue;
    if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT && !in.empty()) continue;
    if (result != BROTLI_DECODER_RESULT_SUCCESS) return failed(decoding::malformed, broken);
    if (left > 0 || !in.empty()) return failed(decoding::malformed, several);
    return {decoding::done, out.take_text()};
  }
}

decoded_text undo(coding which, std::string_view body, const allowance& limits) {
  switch (which) {
    case coding::gzip:
      return inflate_all(frame_of::gzip, body, limits);
    case coding::deflate:
      return undo_deflate(body, limits);
    case coding::zstd:
      return undo_zstd(body, limits);
    case coding::brotli:
      break;
  }
  return undo_brotli(body, limits);
}

// Text in one of the encodings that parsers of JSON detect by its first bytes.
struct code_units {
  std::string_view bytes;
  std::size_t width = 1;  // UTF-8, UTF-16, UTF-32
  bool big_endian = false;

  std::size_t size() const { return bytes.size() / width; }
  std::uint32_t at(std::size_t index) const {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const auto byte = static_cast<unsigned char>(bytes[index * width + i]);
      out |= std::uint32_t{byte} << 8 * (big_endian ? width - 1 - i : i);
    }
    return out;
  }
  std::size_t skip_blanks(std::size_t from) const {
    while (from < size() && (at(from) == ' ' || (at(from) >= '\t' && at(from) <= '\r'))) ++from;
    return from;
  }
};

// No encoder begins its data like an object. A large body in brotli may begin with `[`; then the
// units behind it must look like text, too.
bool looks_like_json(const code_units& text) {
  constexpr std::string_view begins_value = "{[\"-0123456789tfn]";
  constexpr std::uint32_t byte_order_mark = 0xFEFF;
  constexpr std::size_t sample = 64;
  const bool marked = text.size() > 0 && text.at(0) == byte_order_mark;
  const auto first = text.skip_blanks(marked ? 1 : 0);
  if (first >= text.size()) return false;
  if (text.at(first) == '{') return true;
  const auto next = text.skip_blanks(first + 1);
  if (text.at(first) != '[' || next >= text.size() || text.at(next) > 0x7F) return false;
  if (begins_value.find(static_cast<char>(text.at(next))) == begins_value.npos) return false;
  for (auto i = next; i < std::min(text.size(), next + sample); ++i)
    if (text.at(i) < 0x20 && text.skip_blanks(i) == i) return false;
  return true;
}

// Whether a server that ignores the coding could read `body` as JSON: brotli and deflate have no
// magic number, and their data can be made to look like an object.
bool reads_as_plain(std::string_view body) {
  constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";
  const auto bare = body.substr(body.starts_with(utf8_mark) ? utf8_mark.size() : 0);
  return looks_like_json({bare}) || looks_like_json({body, 2, false}) ||
         looks_like_json({body, 2, true}) || looks_like_json({body, 4, false}) ||
         looks_like_json({body, 4, true});
}

// Undoes them from the last to the first, as they were applied.
template <class Codings>
decoded_text undo_all(Codings first, Codings last, std::string_view body, const allowance& limits) {
  decoded_text out;
  for (auto which = first; which != last; ++which) {
    if (reads_as_plain(body))
      return failed(decoding::ambiguous, "a server that does not decode it could read it as JSON");
    auto next = undo(*which, body, limits);
    if (next.is != decoding::done) return next;
    out = std::move(next);
    body = out.text;
  }
  return out;
}

}  // namespace

bool knows_codings(std::string_view content_encoding) {
  return codings_of(content_encoding).has_value();
}

decoded_text decode_body(std::string_view content_encoding, std::string_view body,
                         const decoding_limits& limits) {
  const auto codings = codings_of(content_encoding);
  if (!codings) return failed(decoding::malformed, "its coding is unknown");
  if (codings->empty()) return {decoding::done, std::string{body}};
  const auto by_ratio = body.size() > limits.most_bytes / limits.most_ratio
                            ? limits.most_bytes
                            : body.size() * limits.most_ratio;
  const auto most = std::min(limits.most_bytes, std::max(limits.free_bytes, by_ratio));
  const allowance each{most, limits.may_use, limits.may_go_on};
  auto out = undo_all(codings->rbegin(), codings->rend(), body, each);
  if (out.is != decoding::done) return out;
  // A server that undoes them in the order of the list must not succeed: its text may be another.
  const bool differ = std::any_of(codings->begin(), codings->end(),
                                  [&](coding other) { return other != codings->front(); });
  if (!differ) return out;
  auto other = undo_all(codings->begin(), codings->end(), body, each);
  if (is_another_reading(other))
    return failed(decoding::ambiguous, "its codings can be undone in another order");
  return is_unknown(other) ? other : out;
}

}  // namespace tollgate::routes::readers
