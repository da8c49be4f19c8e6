// Decodes a body's Content-Encoding (RFC 9110, 8.4) before a reader sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

// A few bytes can expand to gigabytes of silence: cheap to send, expensive to decode.
struct expansion_limits {
  std::uint64_t most_bytes = std::uint64_t{4} << 30;
  // The ratio of output to input, checked after the first `free_bytes` of output.
  std::uint64_t most_ratio = 100;
  std::uint64_t free_bytes = std::uint64_t{1} << 20;
};

// `encoding` is the value of the header: empty, identity, gzip (x-gzip) or deflate; any other
// value, or a list, is `unsupported`. gzip may have several members (RFC 1952, 2.2) and no trailing
// data; deflate is accepted with and without zlib's frame (RFC 9110, 8.4.1.2), as in browsers.
std::unique_ptr<reader> make_content_decoder(std::string_view encoding, expansion_limits limits,
                                             sink& target);

}  // namespace tollgate::routes::readers
