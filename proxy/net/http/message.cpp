#include "proxy/net/http/message.hpp"

#include <algorithm>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include "routes/text.hpp"

namespace tollgate::proxy {

using boost::beast::iequals;

namespace {

// "HTTP/1.1 200" without the blank behind it, which RFC 9112 section 4 requires. Some servers omit
// it together with the reason, and clients accept that. Beast does not, so it is added.
void complete_status_line(std::string& head) {
  constexpr std::size_t length = std::string_view{"HTTP/1.1 200"}.size();
  if (head.size() > length && head.starts_with("HTTP/1.") && head[length] == '\r') {
    head.insert(length, 1, ' ');
  }
}

// A body that consists only of the last chunk has at least five bytes. Beast asserts that it
// receives all of them once it has seen the first three.
bool is_part_of_lone_last_chunk(std::string_view bytes) {
  return bytes.size() < 5 && bytes.starts_with("0\r\n");
}

}  // namespace

bool lists_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const auto element = list.substr(0, list.find(','));
    if (iequals(routes::without_blanks(element.substr(0, element.find(';'))), token)) return true;
    list.remove_prefix(std::min(element.size() + 1, list.size()));
  }
  return false;
}

std::string_view message_head::find(http::field name) const {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return fields[i].value;
  }
  return {};
}

bool message_head::has(http::field name) const {
  for (const auto each : names) {
    if (each == name) return true;
  }
  return false;
}

bool message_head::has_token(http::field name, std::string_view token) const {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name && lists_token(fields[i].value, token)) return true;
  }
  return false;
}

template <bool is_request>
error_code message_reader<is_request>::read_head(std::string_view bytes, bool bodiless) {
  head_.bytes.assign(bytes);
  if constexpr (!is_request) complete_status_line(head_.bytes);
  head_.fields.reserve(24);
  head_.names.reserve(24);
  if (bodiless) base::skip(true);
  base::eager(false);
  error_code ec;
  base::put(boost::asio::buffer(head_.bytes), ec);
  if (ec == http::error::need_more) ec = {};
  if (!ec && !base::is_header_done()) ec = http::error::partial_message;
  base::eager(true);
  return ec;
}

template <bool is_request>
decoded message_reader<is_request>::decode(byte_buffer& buffer) {
  decoded result;
  body_begin_ = body_end_ = nullptr;
  while (!done() && result.consumed < buffer.size()) {
    const auto rest = buffer.view().substr(result.consumed);
    if (is_part_of_lone_last_chunk(rest) && base::chunked()) break;
    const std::size_t n = base::put(boost::asio::buffer(rest), result.error);
    result.consumed += n;
    if (result.error == http::error::need_more) {
      result.error = {};
      break;
    }
    if (result.error || n == 0) break;
  }
  if (body_begin_ != nullptr) {
    result.body = {body_begin_, static_cast<std::size_t>(body_end_ - body_begin_)};
  }
  return result;
}

template <bool is_request>
error_code message_reader<is_request>::decode_end() {
  error_code ec;
  base::put_eof(ec);
  return ec;
}

template <bool is_request>
framing message_reader<is_request>::body_framing() const {
  if (base::is_done()) return framing::none;
  if (base::chunked()) return framing::chunked;
  if (base::content_length()) return framing::length;
  return base::need_eof() ? framing::until_close : framing::none;
}

template <bool is_request>
void message_reader<is_request>::on_request_impl(http::verb, string_view method, string_view target,
                                                 int version, error_code&) {
  head_.method = {method.data(), method.size()};
  head_.target = {target.data(), target.size()};
  head_.version = version;
}

template <bool is_request>
void message_reader<is_request>::on_response_impl(int status, string_view reason, int version,
                                                  error_code& ec) {
  if (status < 100) ec = http::error::bad_status;
  head_.status = status;
  head_.reason = {reason.data(), reason.size()};
  head_.version = version;
}

template <bool is_request>
void message_reader<is_request>::on_field_impl(http::field name, string_view text,
                                               string_view value, error_code& ec) {
  if (head_done_) {
    if (!keep_trailer(text, value) && is_request) ec = http::error::header_limit;
    return;
  }
  head_.names.push_back(name);
  head_.fields.push_back({{text.data(), text.size()}, {value.data(), value.size()}});
}

template <bool is_request>
bool message_reader<is_request>::keep_trailer(string_view name, string_view value) {
  trailer_bytes_ += name.size() + value.size();
  if (trailers_.size() == most_trailers || trailer_bytes_ > most_trailer_bytes) return false;
  trailers_.emplace_back(name, value);
  return true;
}

// Pieces come in order from one buffer: moving a piece forward never overwrites bytes that have not
// been parsed.
template <bool is_request>
std::size_t message_reader<is_request>::collect(string_view piece) {
  if (body_begin_ == nullptr) {
    body_begin_ = body_end_ = const_cast<char*>(piece.data());
  } else if (body_end_ != piece.data()) {
    std::memmove(body_end_, piece.data(), piece.size());
  }
  body_end_ += piece.size();
  return piece.size();
}

template class message_reader<true>;
template class message_reader<false>;

}  // namespace tollgate::proxy
