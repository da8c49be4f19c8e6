#include "proxy/net/outbound/url.hpp"

#include <charconv>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace tollgate::proxy::outbound {

namespace {

// Boost.URL 1.81 reads the start of "1.2.3.4.example.com" as an address, and the rest as a path.
bool begins_like_an_address(const boost::urls::url_view& parsed) {
  const std::string_view path = parsed.encoded_path();
  return parsed.host_type() == boost::urls::host_type::ipv4 && !path.empty() && path[0] != '/';
}

}  // namespace

std::optional<url> parse_url(std::string_view text) {
  auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return {};
  using boost::urls::scheme;
  // With a letter prepended it is read as a name.
  std::string marked;
  const bool is_marked = begins_like_an_address(*parsed) && !parsed->has_userinfo();
  if (is_marked) {
    marked = text;
    marked.insert(marked.find("//") + 2, 1, 'x');
    parsed = boost::urls::parse_uri(marked);
    if (!parsed) return {};
  }
  url out;
  out.tls = parsed->scheme_id() == scheme::https;
  if (!out.tls && parsed->scheme_id() != scheme::http) return {};
  out.host = parsed->host_address();
  if (out.host.empty() || parsed->has_userinfo()) return {};
  out.port = out.tls ? 443 : 80;
  if (parsed->has_port()) {  // Boost.URL 1.81's port_number() wraps around
    const auto digits = parsed->port();
    const auto [end, ec] = std::from_chars(digits.begin(), digits.end(), out.port);
    if (ec != std::errc{} || end != digits.end() || out.port == 0) return {};
  }
  const std::string_view authority = parsed->encoded_host_and_port();
  out.authority = authority;
  const std::string_view path = parsed->encoded_path(), query = parsed->encoded_query();
  // It also reads the text after a malformed port as a path.
  if (!path.empty() && !path.starts_with('/')) return {};
  if (is_marked) {
    out.host.erase(0, 1);
    out.authority.erase(0, 1);
  }
  out.path = path.empty() ? "/" : path;
  if (parsed->has_query()) out.path.append("?").append(query);
  return out;
}

}  // namespace tollgate::proxy::outbound
