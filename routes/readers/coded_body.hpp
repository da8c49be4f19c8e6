// Decodes a whole body (Content-Encoding, RFC 9110, 8.4), so that a call can be priced by what it
// contains. Only the decoded text is read: the body itself is forwarded as it came.
//
// What some server could decode or read in another way is refused, not guessed: a body that reads
// as JSON without being decoded, several frames of which some decoders read only the first, codings
// that can be undone in another order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tollgate::routes::readers {

enum class decoding : std::uint8_t {
  done,
  malformed,        // it does not decode from its first byte to its last
  ambiguous,        // it can be read in another way
  expands_too_far,  // beyond the limits
  no_memory,        // `may_use` said no
  takes_too_long,   // `may_go_on` said no
};

struct decoded_text {
  decoding is = decoding::done;
  std::string text;  // if done; otherwise what is wrong, for a message
};

// A few bytes can expand to gigabytes: cheap to send, expensive to decode and to read.
struct decoding_limits {
  std::size_t most_bytes = std::size_t{8} << 20;
  // More than `free_bytes` only if the output is at most this many times the size of the body.
  std::size_t most_ratio = 100, free_bytes = std::size_t{1} << 20;
  // Asked before the text takes so many bytes more; empty: always true.
  std::function<bool(std::size_t bytes)> may_use{};
  // Asked after each piece of some KiB; empty: always true. A few bytes can also take seconds: a
  // block of nearly nothing may come with tables that take long to build.
  std::function<bool()> may_go_on{};
};

// gzip (x-gzip), deflate, zstd, br, or a list of at most three of them, in any letter case;
// `identity` counts as none.
bool knows_codings(std::string_view content_encoding);
inline constexpr std::string_view known_codings = "gzip, deflate, zstd, br";

// `content_encoding` is one that knows_codings() accepts. Memory: the text (at most twice
// `most_bytes` while it grows, and as much for the text before, if there are several codings), and
// a window of at most 16 MiB; all but the result is freed on return.
decoded_text decode_body(std::string_view content_encoding, std::string_view body,
                         const decoding_limits& limits);

}  // namespace tollgate::routes::readers
