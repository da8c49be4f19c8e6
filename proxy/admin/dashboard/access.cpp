#include "proxy/admin/dashboard/access.hpp"

#include <algorithm>
#include <array>

#include <openssl/crypto.h>

namespace tollgate::proxy::dashboard {

namespace {

constexpr std::size_t id_length = 64;

bool is_session_id(std::string_view text) {
  return text.size() == id_length &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "2026-01"
bool is_month(std::string_view text) {
  constexpr std::string_view shape = "0000-00";
  return std::equal(text.begin(), text.end(), shape.begin(), shape.end(), [](char c, char like) {
    return like == '-' ? c == '-' : c >= '0' && c <= '9';
  });
}

bool is_read(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

bool has_csrf_token(const browser_fields& browser) {
  const auto wanted = csrf_token(session_id_in(browser.cookie));
  return browser.csrf.size() == wanted.size() &&
         CRYPTO_memcmp(browser.csrf.data(), wanted.data(), wanted.size()) == 0;
}

}  // namespace

std::string_view session_id_in(std::string_view cookie) {
  while (!cookie.empty()) {
    auto pair = cookie.substr(0, cookie.find(';'));
    cookie.remove_prefix(std::min(cookie.size(), pair.size() + 1));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    if (!pair.starts_with(cookie_name) || pair.substr(cookie_name.size(), 1) != "=") continue;
    const auto id = pair.substr(cookie_name.size() + 1);
    return is_session_id(id) ? id : std::string_view{};
  }
  return {};
}

bool is_same_origin(const browser_fields& browser) {
  if (!browser.fetch_site.empty()) return browser.fetch_site == "same-origin";
  const auto scheme_end = browser.origin.find("://");
  return scheme_end != std::string::npos && !browser.host.empty() &&
         std::string_view{browser.origin}.substr(scheme_end + 3) == browser.host;
}

std::string csrf_token(std::string_view session_id) {
  return quota::hash_key("tollgate dashboard csrf " + std::string{session_id});
}

bool may_call(const session& who, std::string_view method, std::string_view path) {
  if (who.role == role::admin) return path.starts_with("/admin/v1/");
  const auto own = "/admin/v1/orgs/" + who.org + "/";
  if (!is_read(method) || who.org.empty() || !path.starts_with(own)) return false;
  const auto what = path.substr(own.size());
  constexpr std::array<std::string_view, 10> readable{
      "balance", "usage",  "burn_down",  "ledger", "statements",
      "top_ups", "grants", "projection", "quote",  "events"};
  constexpr std::string_view statement_of = "statements/";
  return std::find(readable.begin(), readable.end(), what) != readable.end() ||
         (what.starts_with(statement_of) && is_month(what.substr(statement_of.size())));
}

std::optional<admin::api_error> refuse_call(const session& who, const browser_fields& browser,
                                            std::string_view method, std::string_view path) {
  if (!may_call(who, method, path)) {
    return forbidden("not_yours", who.role == role::admin
                                      ? "a session is for the admin API"
                                      : "an API key's session reads its own organization only");
  }
  // "none": the address was typed or opened from a bookmark.
  const bool opened =
      is_read(method) && (browser.fetch_site.empty() || browser.fetch_site == "none");
  if (!opened && !is_same_origin(browser)) {
    return forbidden("cross_site", "this call does not come from the dashboard");
  }
  if (!is_read(method) && !has_csrf_token(browser)) {
    return forbidden("csrf_token_missing",
                     "send the csrf token of GET /dashboard/session as X-Tollgate-CSRF");
  }
  return {};
}

admin::api_error forbidden(std::string code, std::string message) {
  return {.status = 403,
          .code = std::move(code),
          .message = std::move(message),
          .param = {},
          .retry_after = {},
          .allow = {}};
}

}  // namespace tollgate::proxy::dashboard
