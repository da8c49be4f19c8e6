#include <algorithm>
#include <array>

#include "routes/classify.hpp"
#include "routes/normal_path.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

problem refused(std::string what) {
  return invalid_request("The request is refused: " + std::move(what) + ".");
}

// "EXAMPLE.com.:8080" -> "example.com" and "8080".
struct authority {
  std::string host, port;
};

std::variant<authority, problem> read_authority(std::string_view text) {
  authority out;
  // An IPv6 address keeps its brackets; the colons inside them do not begin a port.
  const auto bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == text.npos) return refused("the host is malformed");
  const auto colon = text.find(':', bracket);
  auto host = text.substr(0, colon);
  if (colon != text.npos) out.port = text.substr(colon + 1);
  const auto is_host_character = [&](char c) {
    return is_unreserved(c) || (bracket != 0 && (c == ':' || c == '[' || c == ']'));
  };
  const bool sound = std::all_of(host.begin(), host.end(), is_host_character) &&
                     std::count(host.begin(), host.end(), '[') == (bracket != 0) &&
                     (bracket == 0 || host.size() == bracket + 1) &&
                     std::all_of(out.port.begin(), out.port.end(), is_digit) &&
                     (!host.empty() || text.empty());
  if (!sound) return refused("the host is malformed");
  if (host.ends_with('.')) host.remove_suffix(1);
  for (const char c : host) out.host += lower(c);
  return out;
}

struct split_target {
  std::string_view scheme, authority;  // empty for the origin-form
  std::string_view path, query;
};

bool is_query_byte(char c) {
  return c > ' ' && c < 0x7F;
}

std::variant<split_target, problem> split(std::string_view target) {
  if (target.empty()) return refused("the request target is empty");
  if (target.find('#') != target.npos) return refused("a fragment (`#`) in the request target");
  split_target out;
  if (!target.starts_with('/')) {
    const auto mark = target.find("://");
    out.scheme = target.substr(0, mark);
    const bool http =
        equal_ignoring_case(out.scheme, "http") || equal_ignoring_case(out.scheme, "https");
    if (mark == target.npos || !http)
      return refused("the request target is neither a path nor an http(s) URL");
    target.remove_prefix(mark + 3);
    const auto end = std::min(target.find_first_of("/?"), target.size());
    out.authority = target.substr(0, end);
    target.remove_prefix(end);
    if (out.authority.empty()) return refused("the request target names no host");
  }
  const auto question = std::min(target.find('?'), target.size());
  out.path = question == 0 ? "/" : target.substr(0, question);
  out.query = target.substr(std::min(question + 1, target.size()));
  if (!std::all_of(out.query.begin(), out.query.end(), is_query_byte))
    return refused("a space, control character or byte beyond ASCII in the query");
  return out;
}

// The port to compare: the scheme's default port is the same as none.
std::string_view effective_port(const authority& where, std::string_view scheme) {
  const std::string_view usual = equal_ignoring_case(scheme, "https") ? "443" : "80";
  return where.port == usual ? std::string_view{} : std::string_view{where.port};
}

// Some frameworks use these headers instead of the request line, which determines the price.
bool rewrites_request_line(const request_view& request) {
  constexpr std::array<std::string_view, 5> names{"x-http-method-override", "x-http-method",
                                                  "x-method-override", "x-original-url",
                                                  "x-rewrite-url"};
  return std::any_of(request.headers.begin(), request.headers.end(), [&](const header_view& field) {
    return lower(field.name.empty() ? '\0' : field.name[0]) == 'x' &&
           std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return same_variable(field.name, name); });
  });
}

}  // namespace

std::variant<clean_target, problem> read_target(const request_view& request) {
  const auto is_lower_case = [](char c) { return c >= 'a' && c <= 'z'; };
  if (!is_token(request.method) ||
      std::any_of(request.method.begin(), request.method.end(), is_lower_case))
    return refused("the method is not an upper-case token");
  // A tunnel cannot be priced; an echo of the request would reveal the credentials that we add for
  // the upstream.
  if (request.method == "CONNECT" || request.method == "TRACE")
    return refused("the method " + std::string{request.method});
  if (rewrites_request_line(request))
    return refused("a header that overrides the method or the path");
  if (request.count("host") > 1) return refused("several Host headers");

  auto host = read_authority(request.header("host"));
  if (auto* p = std::get_if<problem>(&host)) return std::move(*p);
  auto& named = std::get<authority>(host);
  if (request.target == "*" && request.method == "OPTIONS")
    return clean_target{std::move(named.host), "*", {}};

  const auto parts = split(request.target);
  if (const auto* p = std::get_if<problem>(&parts)) return *p;
  const auto& found = std::get<split_target>(parts);
  if (!found.authority.empty()) {
    auto absolute = read_authority(found.authority);
    if (auto* p = std::get_if<problem>(&absolute)) return std::move(*p);
    auto& wins = std::get<authority>(absolute);
    const bool agree = wins.host == named.host &&
                       effective_port(wins, found.scheme) == effective_port(named, found.scheme);
    if (request.count("host") == 1 && !agree)
      return refused("the Host header names another host than the request target");
    named = std::move(wins);
  }
  auto path = normalise_path(found.path, encoded_slashes::kept);
  if (auto* p = std::get_if<unreadable>(&path)) return refused(std::move(p->why));
  return clean_target{std::move(named.host), std::move(std::get<std::string>(path)),
                      std::string{found.query}};
}

}  // namespace tollgate::routes
