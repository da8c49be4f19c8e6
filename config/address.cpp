#include "config/address.hpp"

#include <array>

#include <arpa/inet.h>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <sys/un.h>

#include "config/units.hpp"
#include "quota/redis/store_url.hpp"
#include "routes/text.hpp"

namespace tollgate::config {
namespace {

bool is_address(const std::string& host, int family) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(family, host.c_str(), bytes.data()) == 1;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_whole(text);
  if (!port || *port > 65'535) return {};
  return static_cast<std::uint16_t>(*port);
}

std::optional<endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  const auto port = parse_port(text.substr(colon + 1));
  std::string host{text.substr(0, colon)};
  if (!port) return {};
  if (host == "localhost") return endpoint{"127.0.0.1", *port};
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (!is_address(host, in_brackets ? AF_INET6 : AF_INET)) return {};
  return endpoint{host, *port};
}

bool is_host_name(std::string_view text) {
  const auto allowed = [](char c) {
    return routes::is_alpha(c) || routes::is_digit(c) || c == '.' || c == '-' || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

// Boost.URL 1.81 reads the text after a malformed port as a path ("http://x:80a"), so the path is
// checked, too.
bool is_http(const boost::urls::url_view& url) {
  using boost::urls::host_type;
  using boost::urls::scheme;
  const bool http = url.scheme_id() == scheme::http || url.scheme_id() == scheme::https;
  const bool host = url.host_type() == host_type::ipv4 || url.host_type() == host_type::ipv6 ||
                    (url.host_type() == host_type::name && is_host_name(url.encoded_host()));
  return http && host && (url.encoded_path().empty() || url.encoded_path().starts_with('/'));
}

// The first part of the URL that none of our URLs may have, in words; empty if there is none.
std::string forbidden_part(const boost::urls::url_view& url) {
  if (url.has_fragment()) return "a fragment";
  for (const auto segment : url.encoded_segments()) {
    const std::string plain = segment.decode();
    if (plain == "." || plain == "..") return "a dot segment";
    if (plain.find_first_of("/\\") != std::string::npos) return "an encoded slash";
  }
  if (url.encoded_path().find("//") != boost::urls::string_view::npos)
    return "an empty path segment";
  return "";
}

// 0: outside 1 to 65535.
std::uint16_t port_of(const boost::urls::url_view& url) {
  if (!url.port().empty()) return parse_port(url.port()).value_or(0);
  return url.scheme_id() == boost::urls::scheme::https ? 443 : 80;
}

// The text of an http:// or https:// URL. It reports any error in it.
std::optional<std::string> read_http_url(context& in, const node& from) {
  const std::string expected = "http:// or https:// and a host";
  auto text = read_scalar(in, from, expected);
  if (!text) return {};
  const auto parsed = boost::urls::parse_uri(text->text);
  if (parsed && is_http(*parsed)) return std::move(text->text);
  // Text that cannot be parsed may contain a password, so the message does not repeat it.
  const bool secret = text->text.find('@') != std::string::npos;
  fail_expected(in, from, expected, secret ? "something else" : text->shown);
  return {};
}

bool is_this_machine(const boost::urls::url_view& url) {
  const std::string host = url.host_address();
  return host == "127.0.0.1" || host == "::1" || routes::equal_ignoring_case(host, "localhost");
}

std::string without_trailing_slash(std::string path) {
  if (path.ends_with('/')) path.pop_back();
  return path;
}

// `unix:/path/of/socket[:/base/path]`, as nginx writes it: a host named "unix" has no empty port.
std::optional<upstream_url> read_unix_url(context& in, const node& from, bool tls,
                                          std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    in.fail(from, why);
    return std::nullopt;
  };
  if (tls) return refuse("a unix socket cannot have https://; write http://unix:/PATH");
  text.remove_prefix(std::string_view{"unix:"}.size());
  const auto colon = std::min(text.find(':'), text.size());
  upstream_url out;
  out.host = "localhost";  // for the Host field
  out.unix_path = text.substr(0, colon);
  const auto base = text.substr(std::min(colon + 1, text.size()));
  if (out.unix_path.size() >= sizeof sockaddr_un{}.sun_path) {
    return refuse("the path of a unix socket has at most 107 characters");
  }
  if (base.empty()) return out;
  const auto parsed = boost::urls::parse_origin_form(base);
  if (!parsed || parsed->has_query() || !forbidden_part(*parsed).empty()) {
    return refuse("expected http://unix:/PATH or http://unix:/PATH:/BASE/PATH");
  }
  out.base_path = without_trailing_slash(std::string{base});
  return out;
}

}  // namespace

std::optional<endpoint> read_endpoint(context& in, const node& from) {
  const std::string expected = "ADDRESS:PORT (127.0.0.1:8080, [::1]:8080)";
  const auto text = read_scalar(in, from, expected);
  if (!text) return {};
  auto value = parse_endpoint(text->text);
  if (!value) fail_expected(in, from, expected, text->shown);
  return value;
}

std::optional<upstream_url> read_upstream_url(context& in, const node& from) {
  const auto scalar = read_scalar(in, from, "http:// or https:// and a host");
  if (!scalar) return {};
  for (const bool tls : {false, true}) {
    const std::string_view scheme = tls ? "https://" : "http://", all = scalar->text;
    const auto rest = all.substr(std::min(scheme.size(), all.size()));
    if (all.starts_with(scheme) && rest.starts_with("unix:/")) {
      return read_unix_url(in, from, tls, rest);
    }
  }
  const auto text = read_http_url(in, from);
  if (!text) return {};
  const boost::urls::url_view url = *boost::urls::parse_uri(*text);
  const auto refuse = [&](const std::string& part) {
    in.fail(from, "an upstream's URL cannot have " + part);
    return std::nullopt;
  };
  if (url.has_userinfo()) return refuse("a user or a password (credentials go into headers)");
  if (url.has_query()) return refuse("a query");
  if (const std::string part = forbidden_part(url); !part.empty()) return refuse(part);
  upstream_url out;
  out.tls = url.scheme_id() == boost::urls::scheme::https;
  out.host = url.host_address();
  std::transform(out.host.begin(), out.host.end(), out.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  out.port = port_of(url);
  if (out.port == 0) return refuse("a port outside 1 to 65535");
  out.base_path = without_trailing_slash(std::string{url.encoded_path()});
  return out;
}

bool is_private_host(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> b{};
  if (inet_pton(AF_INET, host.c_str(), b.data()) == 1) {
    return b[0] == 10 || b[0] == 127 || (b[0] == 172 && b[1] >= 16 && b[1] < 32) ||
           (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254) ||
           (b[0] == 100 && b[1] >= 64 && b[1] < 128);
  }
  if (inet_pton(AF_INET6, host.c_str(), b.data()) == 1) {
    const bool loopback = host == "::1";
    return loopback || (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80);
  }
  if (host.empty()) return false;
  constexpr std::array ends{".internal", ".local", ".localhost", ".lan", ".home.arpa", ".svc"};
  return host.find('.') == std::string::npos ||
         std::any_of(ends.begin(), ends.end(),
                     [&](const char* end) { return host.ends_with(end); });
}

std::optional<payment_url> read_payment_url(context& in, const node& from, bool with_query) {
  auto text = read_http_url(in, from);
  if (!text) return {};
  const boost::urls::url_view url = *boost::urls::parse_uri(*text);
  const auto refuse = [&](const std::string& part) {
    in.fail(from, "this URL cannot have " + part);
    return std::nullopt;
  };
  if (url.has_userinfo()) return refuse("a user or a password");
  if (url.has_query() && !with_query) return refuse("a query");
  if (const std::string part = forbidden_part(url); !part.empty()) return refuse(part);
  if (port_of(url) == 0) return refuse("a port outside 1 to 65535");
  const bool tls = url.scheme_id() == boost::urls::scheme::https;
  if (!tls && !is_this_machine(url)) {
    in.fail(from, "must be https://; http:// is allowed only for 127.0.0.1, [::1] and localhost");
    return {};
  }
  return payment_url{*std::move(text), tls};
}

std::optional<std::string> read_store_url(context& in, const node& from) {
  auto text = read_scalar(in, from, "embedded:DIR, redis://HOST:PORT or unix:///PATH");
  if (!text) return {};
  const auto parsed = quota::redis::parse_store_url(text->text);
  if (parsed) return std::move(text->text);
  in.fail(from, parsed.error());
  return {};
}

}  // namespace tollgate::config
