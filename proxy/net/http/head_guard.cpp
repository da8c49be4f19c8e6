#include "proxy/net/http/head_guard.hpp"

#include <array>
#include <cstring>

#include <boost/beast/core/string.hpp>

#include "routes/text.hpp"

namespace tollgate::proxy {

namespace {

using boost::beast::iequals;

constexpr std::array<bool, 256> make_table(std::string_view extra) {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : extra) table[static_cast<unsigned char>(c)] = true;
  return table;
}

constexpr auto token_chars = make_table("!#$%&'*+-.^_`|~");
constexpr auto host_chars = make_table("-._~!$&'()*+,;=:[]%");

bool all_of(std::string_view text, const std::array<bool, 256>& table) {
  for (const char c : text) {
    if (!table[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

bool is_token(std::string_view text) {
  return !text.empty() && all_of(text, token_chars);
}

// The fields of one head that concern framing and addressing.
struct field_census {
  std::string_view content_length;
  int lengths = 0, encodings = 0, hosts = 0;
};

using complaint = std::optional<std::string>;

constexpr bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

// No control characters, and CR and LF only as a pair. Written without branches, so that the
// compiler can vectorize it.
bool is_clean(std::string_view head) {
  if (head.empty()) return true;
  unsigned char wrong = head.front() == '\n';
  for (std::size_t i = 0; i + 1 < head.size(); ++i) {
    const auto c = static_cast<unsigned char>(head[i]);
    const unsigned char low = c < 0x20, tab = c == '\t', cr = c == '\r', lf = c == '\n';
    const unsigned char del = c == 0x7f, before_lf = head[i + 1] == '\n';
    wrong |= static_cast<unsigned char>((low & ~(tab | cr | lf)) | del | (cr ^ before_lf));
  }
  return wrong == 0 && (head.back() == '\n' || !is_control(head.back()));
}

complaint which_control(std::string_view head) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head.substr(i, 2) == "\r\n") {
      ++i;
    } else if (head[i] == '\n') {
      return "a line of the head ends with a bare LF; lines end with CR LF";
    } else if (head[i] == '\r') {
      return "the head contains a CR that is not followed by LF";
    } else if (is_control(head[i])) {
      break;
    }
  }
  return "the head contains a control character";
}

complaint check_controls(std::string_view head) {
  if (is_clean(head)) return {};
  return which_control(head);
}

complaint check_length(std::string_view value) {
  if (value.empty() || value.size() > 18) return "Content-Length is not a length";
  for (const char c : value) {
    if (c < '0' || c > '9') return "Content-Length is not one decimal number";
  }
  return {};
}

complaint check_field(std::string_view line, field_census& census) {
  if (line.front() == ' ' || line.front() == '\t') {
    return "a header line begins with white space (folded headers are obsolete)";
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return "a header line has no colon";
  const auto name = line.substr(0, colon);
  if (!is_token(name))
    return "a header name is empty or contains white space or illegal characters";
  switch (name.size()) {
    case 4:
      if (!iequals(name, "host")) break;
      ++census.hosts;
      if (!all_of(routes::without_blanks(line.substr(colon + 1)), host_chars))
        return "the Host header is malformed";
      break;
    case 14:
      if (!iequals(name, "content-length")) break;
      census.content_length = routes::without_blanks(line.substr(colon + 1));
      if (++census.lengths > 1) return "Content-Length appears more than once";
      return check_length(census.content_length);
    case 17:
      if (!iequals(name, "transfer-encoding")) break;
      if (++census.encodings > 1) return "Transfer-Encoding appears more than once";
      if (!iequals(routes::without_blanks(line.substr(colon + 1)), "chunked")) {
        return "Transfer-Encoding must be exactly \"chunked\"";
      }
      break;
    default:
      break;
  }
  return {};
}

complaint check_fields(std::string_view lines, field_census& census) {
  while (lines.size() > 2) {
    const auto end = lines.find("\r\n");
    if (end == 0) return "the head contains an empty line";
    if (auto wrong = check_field(lines.substr(0, end), census)) return wrong;
    lines.remove_prefix(end + 2);
  }
  if (census.lengths > 0 && census.encodings > 0) {
    return "Content-Length and Transfer-Encoding together are ambiguous";
  }
  return {};
}

// METHOD SP target SP HTTP/1.x: single spaces, nothing else.
complaint check_request_line(std::string_view line, bool& is_1_1) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return "the request line is not METHOD, target and version";
  }
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(line.substr(0, first))) return "the method is not a token";
  if (target.empty() || target.find_first_of(" \t") != std::string_view::npos) {
    return "the request target is empty or contains white space";
  }
  is_1_1 = version == "HTTP/1.1";
  if (!is_1_1 && version != "HTTP/1.0") return "the version is neither HTTP/1.1 nor HTTP/1.0";
  return {};
}

}  // namespace

std::size_t find_head_end(std::string_view bytes) {
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  for (const char* at = begin; at < end; ++at) {
    at = static_cast<const char*>(std::memchr(at, '\n', end - at));
    if (at == nullptr) break;
    if (at + 1 < end && at[1] == '\n') return at + 2 - begin;
    if (at + 2 < end && at[1] == '\r' && at[2] == '\n') return at + 3 - begin;
  }
  return std::string_view::npos;
}

std::optional<std::string> inspect_request_head(std::string_view head) {
  if (auto wrong = check_controls(head)) return wrong;
  const auto line_end = head.find("\r\n");
  if (line_end == std::string_view::npos) return "the request line does not end";
  bool is_1_1 = false;
  if (auto wrong = check_request_line(head.substr(0, line_end), is_1_1)) return wrong;
  field_census census;
  if (auto wrong = check_fields(head.substr(line_end + 2), census)) return wrong;
  if (census.hosts > 1) return "the Host header appears more than once";
  if (is_1_1 && census.hosts == 0) return "an HTTP/1.1 request needs a Host header";
  if (!is_1_1 && census.encodings > 0) return "HTTP/1.0 has no Transfer-Encoding";
  return {};
}

std::optional<std::string> inspect_response_head(std::string_view head) {
  if (auto wrong = check_controls(head)) return wrong;
  const auto line_end = head.find("\r\n");
  if (line_end == std::string_view::npos) return "the status line does not end";
  field_census census;
  if (auto wrong = check_fields(head.substr(line_end + 2), census)) return wrong;
  if (head.starts_with("HTTP/1.0") && census.encodings > 0)
    return "HTTP/1.0 has no Transfer-Encoding";
  return {};
}

}  // namespace tollgate::proxy
