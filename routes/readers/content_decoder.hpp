// A body's Content-Encoding (RFC 9110, 8.4), undone in front of a reader.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

// A few bytes can expand to gigabytes of silence, which we would unpack for the price of sending
// them.
struct expansion_limits {
  std::uint64_t most_bytes = std::uint64_t{4} << 30;
  // Of what comes out to what went in, once more has come out than `free_bytes`.
  std::uint64_t most_ratio = 100;
  std::uint64_t free_bytes = std::uint64_t{1} << 20;
};

// `encoding` is the value of the header: empty, identity, gzip (x-gzip) or deflate; anything else,
// also two of them, is `unsupported`. gzip may have several members (RFC 1952, 2.2) and nothing
// behind them; deflate is read with and without zlib's frame (RFC 9110, 8.4.1.2), as browsers do.
std::unique_ptr<reader> make_content_decoder(std::string_view encoding, expansion_limits limits,
                                             sink& target);

}  // namespace tollgate::routes::readers
