#include "proxy/gateway/cors.hpp"

#include <algorithm>

#include "proxy/net/http/field_rules.hpp"
#include "proxy/net/http/write.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy {

namespace {

// `https://*.example.com` stands for any name below example.com, and for no other port.
bool is_origin_of(std::string_view origin, std::string_view allowed) {
  const auto star = allowed.find('*');
  if (allowed == "*" || star == std::string_view::npos) return origin == allowed || allowed == "*";
  const auto before = allowed.substr(0, star), after = allowed.substr(star + 1);
  if (origin.size() <= before.size() + after.size()) return false;
  if (!origin.starts_with(before) || !origin.ends_with(after)) return false;
  const auto label = origin.substr(before.size(), origin.size() - before.size() - after.size());
  return std::all_of(label.begin(), label.end(), [](char c) {
    return routes::is_alpha(c) || routes::is_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

bool allows_any(const config::cors_settings& settings) {
  return std::find(settings.origins.begin(), settings.origins.end(), "*") != settings.origins.end();
}

// The page's origin if it may read the answer; otherwise empty.
std::string_view allowed_origin(const config::cors_settings& settings,
                                const routes::request_view& request) {
  const auto origin = request.header("origin");
  if (origin.empty() || request.count("origin") > 1) return {};
  const bool known =
      std::any_of(settings.origins.begin(), settings.origins.end(),
                  [&](const std::string& allowed) { return is_origin_of(origin, allowed); });
  return known ? origin : std::string_view{};
}

bool is_list_of_tokens(std::string_view list) {
  return std::all_of(list.begin(), list.end(), [](char c) {
    return c == ',' || c == ' ' || routes::is_token(std::string_view{&c, 1});
  });
}

}  // namespace

std::string cors_lines(const config::cors_settings& settings, const routes::request_view& request) {
  std::string out;
  if (!settings.on()) return out;
  const bool any = allows_any(settings);
  // A cache must not give one page the answer that names another.
  if (!any) append_field(out, "Vary", "Origin");
  const auto origin = any ? std::string_view{"*"} : allowed_origin(settings, request);
  if (origin.empty()) return out;
  append_field(out, "Access-Control-Allow-Origin", origin);
  append_field(out, "Access-Control-Expose-Headers", "*");
  return out;
}

bool is_preflight(const config::cors_settings& settings, const routes::request_view& request) {
  return settings.on() && request.method == "OPTIONS" &&
         routes::is_token(request.header("access-control-request-method")) &&
         !allowed_origin(settings, request).empty();
}

own_response answer_preflight(const config::cors_settings& settings,
                              const routes::request_view& request) {
  own_response out;
  out.status = 204;
  out.headers.emplace_back("Access-Control-Allow-Methods",
                           request.header("access-control-request-method"));
  const auto asked = request.header("access-control-request-headers");
  if (!asked.empty() && is_list_of_tokens(asked))
    out.headers.emplace_back("Access-Control-Allow-Headers", asked);
  out.headers.emplace_back("Access-Control-Max-Age", std::to_string(settings.max_age.count()));
  out.headers.emplace_back("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
  return out;
}

bool is_cors_field(std::string_view name) {
  constexpr std::string_view prefix = "access-control-";
  return name.size() > prefix.size() && same_field(name.substr(0, prefix.size()), prefix);
}

}  // namespace tollgate::proxy
