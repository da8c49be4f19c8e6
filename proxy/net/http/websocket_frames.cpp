#include "proxy/net/http/websocket_frames.hpp"

#include <algorithm>

namespace tollgate::proxy {

namespace {

constexpr std::size_t smallest_header = 2, mask_bytes = 4;
constexpr unsigned length_of_two = 126, length_of_eight = 127;

}  // namespace

// Passes bytes up to the end of the header, or of the payload.
std::size_t websocket_frames::pass_some(std::string_view bytes) {
  if (payload_ > 0) {
    const auto n = std::min<std::uint64_t>(payload_, bytes.size());
    payload_ -= n;
    return static_cast<std::size_t>(n);
  }
  const auto byte = static_cast<unsigned char>(bytes.front());
  ++header_;
  if (header_ == smallest_header) {
    const unsigned length = byte & 0x7F;
    const std::size_t more = length == length_of_two ? 2 : length == length_of_eight ? 8 : 0;
    header_size_ = smallest_header + more + ((byte & 0x80) != 0 ? mask_bytes : 0);
    length_ = more == 0 ? length : 0;
    extended_end_ = smallest_header + more;
  } else if (header_ > smallest_header && header_ <= extended_end_) {
    length_ = length_ << 8 | byte;
  }
  if (header_ >= smallest_header && header_ == header_size_) {
    payload_ = length_;
    header_ = 0;
    header_size_ = smallest_header;
  }
  return 1;
}

void websocket_frames::pass(std::string_view bytes) {
  while (!bytes.empty()) bytes.remove_prefix(pass_some(bytes));
}

std::size_t websocket_frames::rest_of_frame(std::string_view bytes) const {
  auto ahead = *this;
  std::size_t n = 0;
  while (n < bytes.size() && !ahead.is_between_frames()) n += ahead.pass_some(bytes.substr(n));
  return n;
}

std::string close_frame(std::uint16_t code, std::string_view reason) {
  constexpr char final_close = '\x88';
  std::string frame{final_close};
  frame.push_back(static_cast<char>(reason.size() + sizeof code));
  frame.push_back(static_cast<char>(code >> 8));
  frame.push_back(static_cast<char>(code & 0xFF));
  return frame.append(reason);
}

}  // namespace tollgate::proxy
