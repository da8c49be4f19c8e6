// How pieces of a body are framed on their way out.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>

#include "proxy/net/http/message.hpp"
#include "proxy/net/http/owned_names.hpp"

namespace tollgate::proxy {

// Puts chunk framing around pieces of a body, or nothing where the body is not chunked. The buffers
// point into this object and into what was given; they live until the next call.
class chunk_frame {
 public:
  explicit chunk_frame(bool chunked, const owned_names* owned = nullptr)
      : chunked_{chunked}, owned_{owned} {}

  using buffers = std::array<boost::asio::const_buffer, 4>;
  // `prefix` is what goes out before the piece: a message head, or nothing. Of the sender's
  // trailers those pass on that may; `own_trailers` are whole lines, and go out as they are.
  buffers around(std::string_view prefix, std::string_view piece, bool last,
                 const header_list& trailers, std::string_view own_trailers = {});

 private:
  bool chunked_;
  const owned_names* owned_;  // names that no trailer of the sender may have
  std::string before_, after_;
};

}  // namespace tollgate::proxy
