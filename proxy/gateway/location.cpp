#include "proxy/gateway/location.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "routes/text.hpp"

namespace tollgate::proxy {

namespace {

using routes::equal_ignoring_case;

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!equal_ignoring_case(text.substr(0, prefix.size()), prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Removes the upstream's origin from the front. An upstream behind a TLS terminator may write
// http://, and one that writes its own port may omit the default one: both are its own origin.
bool take_origin(std::string_view& url, const config::upstream_settings& upstream) {
  auto rest = url;
  std::uint16_t usual = upstream.tls ? 443 : 80;
  if (take_prefix(rest, "https:")) {
    usual = 443;
  } else if (take_prefix(rest, "http:")) {
    usual = 80;
  }
  if (!take_prefix(rest, "//")) return false;
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  auto authority = rest.substr(0, end);
  rest.remove_prefix(end);
  const bool v6 = upstream.host.find(':') != std::string::npos;
  if (!take_prefix(authority, v6 ? "[" + upstream.host + "]" : upstream.host)) return false;
  std::uint16_t port = usual;
  if (take_prefix(authority, ":") && !authority.empty()) {
    const auto stop = authority.data() + authority.size();
    const auto read = std::from_chars(authority.data(), stop, port);
    if (read.ec != std::errc{}) return false;
    authority.remove_prefix(static_cast<std::size_t>(read.ptr - authority.data()));
  }
  if (!authority.empty() || (port != upstream.port && port != usual)) return false;
  url = rest;
  return true;
}

// Removes the base path from the front of a path; false: the path is not below it.
bool take_base(std::string_view& path, std::string_view base) {
  if (!path.starts_with(base)) return false;
  const auto rest = path.substr(base.size());
  if (!rest.empty() && rest.find_first_of("/?#") != 0) return false;
  path = rest;
  return true;
}

// Nothing: the value stays unchanged.
std::optional<std::string> own(std::string_view url, const config::upstream_settings& upstream) {
  const bool is_path = url.starts_with('/') && !url.starts_with("//");
  if (is_path && upstream.base_path.empty()) return std::nullopt;
  if (!is_path && !take_origin(url, upstream)) return std::nullopt;
  if (!take_base(url, upstream.base_path)) return std::nullopt;
  std::string path{url};
  if (!path.starts_with('/')) path.insert(0, "/");
  // Two slashes would introduce a host.
  path.erase(0, std::min(path.find_first_not_of('/'), path.size()));
  return "/" + path;
}

}  // namespace

bool shows_location(std::string_view field) {
  return equal_ignoring_case(field, "location") || equal_ignoring_case(field, "content-location") ||
         equal_ignoring_case(field, "refresh");
}

std::string location_for_client(std::string_view field, std::string_view value,
                                const config::upstream_settings& upstream) {
  std::string_view before, url = value;
  if (equal_ignoring_case(field, "refresh")) {  // "5; url=http://…"
    const auto equals = value.find('=');
    if (equals == std::string_view::npos) return std::string{value};
    before = value.substr(0, equals + 1);
    url = value.substr(equals + 1);
  }
  const auto changed = own(url, upstream);
  return changed ? std::string{before} + *changed : std::string{value};
}

}  // namespace tollgate::proxy
