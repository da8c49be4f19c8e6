// Frames the pieces of an outgoing body.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>

#include "proxy/net/http/message.hpp"
#include "proxy/net/http/owned_names.hpp"

namespace tollgate::proxy {

// Adds chunk framing to pieces of a body, or nothing if the body is not chunked. The buffers point
// into this object and into the arguments, and are valid until the next call.
class chunk_frame {
 public:
  explicit chunk_frame(bool chunked, const owned_names* owned = nullptr)
      : chunked_{chunked}, owned_{owned} {}

  using buffers = std::array<boost::asio::const_buffer, 4>;
  // `prefix` goes before the piece: a message head, or nothing. Of the sender's trailers only those
  // that are allowed are passed on; `own_trailers` are complete lines and are sent unchanged.
  buffers around(std::string_view prefix, std::string_view piece, bool last,
                 const header_list& trailers, std::string_view own_trailers = {});

 private:
  bool chunked_;
  const owned_names* owned_;  // names that no trailer of the sender may have
  std::string before_, after_;
};

}  // namespace tollgate::proxy
