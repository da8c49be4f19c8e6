#include "proxy/net/relay.hpp"

#include <charconv>

#include "proxy/net/http/field_rules.hpp"

namespace tollgate::proxy {

chunk_frame::buffers chunk_frame::around(std::string_view prefix, std::string_view piece, bool last,
                                         const header_list& trailers,
                                         std::string_view own_trailers) {
  namespace asio = boost::asio;
  before_.clear();
  after_.clear();
  if (chunked_) {
    if (!piece.empty()) {
      char digits[16];
      before_.append(digits, std::to_chars(digits, digits + sizeof digits, piece.size(), 16).ptr);
      before_.append("\r\n", 2);
      after_.append("\r\n", 2);
    }
    if (last) {
      after_.append("0\r\n", 3);
      for (const auto& [name, value] : trailers) {
        const bool fit = fit_for_trailer(name) && (owned_ == nullptr || !owned_->contains(name));
        if (fit) after_.append(name).append(": ").append(value).append("\r\n");
      }
      after_.append(own_trailers).append("\r\n", 2);
    }
  }
  return {asio::buffer(prefix), asio::buffer(before_), asio::buffer(piece), asio::buffer(after_)};
}

}  // namespace tollgate::proxy
