// One HTTP/1.x message as it arrives: the head as views over its own copy of the bytes, the body
// decoded in place. Beast's basic_parser does the parsing; nothing is allocated per field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/system/error_code.hpp>

#include "proxy/net/http/byte_buffer.hpp"
#include "routes/classify.hpp"

namespace tollgate::proxy {

namespace http = boost::beast::http;
using boost::system::error_code;

// Whether a comma-separated list has that token, ASCII case-insensitive; parameters are ignored.
bool lists_token(std::string_view list, std::string_view token);

using header_list = std::vector<std::pair<std::string, std::string>>;

struct message_head {
  std::string bytes;  // storage of the views
  std::vector<routes::header_view> fields;
  std::vector<http::field> names;   // with the same index; field::unknown if Beast has no number
  std::string_view method, target;  // of a request
  int status = 0;                   // of a response
  std::string_view reason;
  int version = 11;

  std::string_view find(http::field name) const;
  bool has(http::field name) const;
  // Whether any line of a comma-separated field lists that token.
  bool has_token(http::field name, std::string_view token) const;

  routes::request_view request() const { return {method, target, fields}; }
};

// How the length of a body is determined.
enum class framing : std::uint8_t { none, length, chunked, until_close };

// The result of one decoding step: `body` is in the buffer's memory until `consumed` bytes are
// consumed.
struct decoded {
  std::size_t consumed = 0;
  std::string_view body;
  error_code error;
};

// Reads one message: first the whole head, then the body in slices of any size.
template <bool is_request>
class message_reader final : private http::basic_parser<is_request> {
  using base = http::basic_parser<is_request>;

 public:
  message_reader() {
    base::body_limit(boost::none);
    base::header_limit(0xffff'ffff);  // the caller limits the head
  }

  // `bytes` is one complete head that passed the head guard. `bodiless`: the answer to a HEAD.
  error_code read_head(std::string_view bytes, bool bodiless = false);

  // Decodes the content of the buffer. Chunks are joined, so that the body is one piece.
  decoded decode(byte_buffer& buffer);
  // The peer has closed: the end of a body without a length, an error for every other body.
  error_code decode_end();

  bool done() const { return base::is_done(); }
  bool keep_alive() const { return base::keep_alive(); }
  // Of the head just read, before any decode().
  framing body_framing() const;
  // Also available without a body: in the answer to a HEAD, in a 304.
  std::optional<std::uint64_t> content_length() const {
    const auto length = base::content_length();
    return length ? std::optional<std::uint64_t>{*length} : std::nullopt;
  }
  const message_head& head() const { return head_; }
  message_head& head() { return head_; }
  // They are kept until the message is over, and no memory is counted for them. More of a request
  // are an error (header_limit) in decode(); of a response, they are dropped (RFC 9110 section
  // 6.5.1).
  static constexpr std::size_t most_trailers = 32, most_trailer_bytes = 4 * 1024;
  const header_list& trailers() const { return trailers_; }

 private:
  using string_view = boost::beast::string_view;

  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override;
  void on_response_impl(int status, string_view reason, int version, error_code&) override;
  void on_field_impl(http::field name, string_view text, string_view value, error_code&) override;
  void on_header_impl(error_code&) override { head_done_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view piece, error_code&) override { return collect(piece); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code&) override {
    return collect(piece);
  }
  void on_finish_impl(error_code&) override {}

  bool keep_trailer(string_view name, string_view value);
  std::size_t collect(string_view piece);

  message_head head_;
  header_list trailers_;
  std::size_t trailer_bytes_ = 0;
  bool head_done_ = false;
  char* body_begin_ = nullptr;
  char* body_end_ = nullptr;
};

using request_reader = message_reader<true>;
using response_reader = message_reader<false>;

}  // namespace tollgate::proxy
