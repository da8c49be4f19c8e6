#include "proxy/admin/admin_api.hpp"

#include <algorithm>
#include <array>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "proxy/account/reading.hpp"
#include "proxy/net/api/body.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::string_view prefix = "/admin/v1/";

std::array<unsigned char, SHA256_DIGEST_LENGTH> sha256(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

// Comparing digests takes the same time whatever the texts share, and whatever their lengths.
bool same_secret(std::string_view a, std::string_view b) {
  const auto left = sha256(a), right = sha256(b);
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

api_error unauthorized(std::string code, std::string message) {
  return {.status = 401,
          .code = std::move(code),
          .message = std::move(message),
          .param = {},
          .retry_after = {},
          .allow = {}};
}

api_error no_such_org(const quota::org_id& org) {
  auto error =
      not_found("no such organization: \"" + org + "\"; PUT /admin/v1/orgs/" + org + " creates it");
  error.code = "org_not_found";
  return error;
}

// The segments of a pattern or a path. Empty segments count: "orgs//keys" has three.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  for (;;) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == path.npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool matches(std::string_view pattern, const std::vector<std::string_view>& path) {
  const auto wanted = split(pattern);
  if (wanted.size() != path.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (wanted[i] != "*" && wanted[i] != path[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<api_error> admin_api::authorize(std::string_view authorization) const {
  const auto configuration = services_.configuration();
  const auto& token = configuration->values.admin.token;
  if (token.empty()) {
    return api_error{.status = 403,
                     .code = "admin_disabled",
                     .message = "no admin token is configured: set admin.token and reload",
                     .param = {},
                     .retry_after = {},
                     .allow = {}};
  }
  constexpr std::string_view scheme = "bearer ";
  if (!routes::equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) {
    return unauthorized("missing_admin_token",
                        "send the admin token as Authorization: Bearer TOKEN");
  }
  if (!same_secret(authorization.substr(scheme.size()), token)) {
    return unauthorized("invalid_admin_token", "not the configured admin token");
  }
  return {};
}

const std::vector<admin_api::route>& admin_api::routes() {
  static const std::vector<route> table{
      {"GET", "orgs", &admin_api::list_orgs, takes::parameters},
      {"GET", "orgs/*", &admin_api::show_org},
      {"PUT", "orgs/*", &admin_api::put_org, takes::body},
      {"GET", "orgs/*/keys", &admin_api::list_keys},
      {"POST", "orgs/*/keys", &admin_api::create_key, takes::body},
      {"DELETE", "orgs/*/keys/*", &admin_api::revoke_key},
      {"GET", "orgs/*/grants", &admin_api::grants},
      {"POST", "orgs/*/grants", &admin_api::create_grant, takes::body},
      {"GET", "orgs/*/balance", &admin_api::balance},
      {"GET", "orgs/*/usage", &admin_api::usage, takes::parameters},
      {"GET", "orgs/*/projection", &admin_api::projection},
      {"GET", "orgs/*/burn_down", &admin_api::burn_down},
      {"GET", "orgs/*/quote", &admin_api::quote, takes::parameters},
      {"GET", "orgs/*/ledger", &admin_api::entries, takes::parameters},
      {"GET", "orgs/*/holds", &admin_api::holds},
      {"GET", "orgs/*/statements", &admin_api::statements},
      {"GET", "orgs/*/statements/*", &admin_api::statement},
      {"GET", "orgs/*/events", &admin_api::events, takes::parameters},
      {"GET", "orgs/*/top_ups", &admin_api::top_ups, takes::parameters},
      {"POST", "orgs/*/top_ups", &admin_api::buy_top_up, takes::body},
      {"POST", "orgs/*/top_ups/*", &admin_api::resolve_top_up, takes::body},
      {"GET", "orgs/*/webhooks", &admin_api::list_webhooks},
      {"POST", "orgs/*/webhooks", &admin_api::create_webhook, takes::body},
      {"GET", "orgs/*/webhooks/*", &admin_api::show_webhook},
      {"PUT", "orgs/*/webhooks/*", &admin_api::change_webhook, takes::body},
      {"DELETE", "orgs/*/webhooks/*", &admin_api::delete_webhook},
      {"POST", "orgs/*/webhooks/*/rotate", &admin_api::rotate_webhook},
      {"POST", "orgs/*/webhooks/*/finish_rotation", &admin_api::finish_rotation},
      {"POST", "orgs/*/webhooks/*/retry", &admin_api::retry_webhook},
      {"POST", "orgs/*/webhooks/*/test", &admin_api::test_webhook},
      {"GET", "orgs/*/webhooks/*/dead_letters", &admin_api::list_dead_letters, takes::parameters},
      {"POST", "orgs/*/webhooks/*/dead_letters/*/resend", &admin_api::resend_dead_letter},
  };
  return table;
}

task<api_response> admin_api::handle(api_request request) {
  const std::string request_id = request.request_id;
  if (!request.path.starts_with(prefix)) {
    co_return failure(not_found("no such endpoint; the admin API is at /admin/v1/orgs"),
                      request_id);
  }
  const std::string path = request.path.substr(prefix.size());
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  const auto segments = split(path);
  std::string allow;
  for (const auto& route : routes()) {
    if (!matches(route.pattern, segments)) continue;
    if (route.method == method) {
      const auto segment = [&](std::size_t i) {
        return i < segments.size() ? percent_decode(segments[i]).value_or("") : std::string{};
      };
      call asked{std::move(request), segment(1), segment(3), segment(5), {}};
      co_return co_await run(route, std::move(asked));
    }
    allow += (allow.empty() ? "" : ", ") + std::string{route.method};
    if (route.method == "GET") allow += ", HEAD";
  }
  if (!allow.empty()) co_return failure(method_not_allowed(allow), request_id);
  co_return failure(not_found("no such endpoint"), request_id);
}

// Nothing that is sent is ignored: whoever misspells a parameter, or gives it to another call, is
// told.
std::optional<api_error> admin_api::refuse_unread(const route& route, const api_request& request) {
  if (route.takes_what != takes::parameters) {
    if (auto error = refuse_parameters(request)) return error;
  }
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  if (route.takes_what != takes::body && !is_read) {
    const auto body = read_body(request, {{}, {}});
    if (!body) return body.error();
  }
  return {};
}

// Everything about an organization needs it to exist, except creating it.
task<api_response> admin_api::run(const route& route, call call) {
  if (route.pattern != "orgs") {
    if (!quota::is_valid_org_id(call.org)) {
      co_return failure(invalid("an organization id must be 1 to 64 of A-Z a-z 0-9 . _ -", "org"),
                        call.request.request_id);
    }
    if (route.run != &admin_api::put_org) {
      auto found = co_await services_.directory.find(call.org);
      if (!found) co_return failure(ledger_unavailable(), call.request.request_id);
      if (!*found) co_return failure(no_such_org(call.org), call.request.request_id);
      call.found = std::move(*found);
    }
  }
  if (const auto error = refuse_unread(route, call.request)) {
    co_return failure(*error, call.request.request_id);
  }
  // What is read, and what a change is checked against, is as of now.
  if (route.pattern != "orgs") {
    const auto current = co_await quota::bring_up_to_date(services_.ledger, call.org);
    if (!current) co_return failure(ledger_unavailable(), call.request.request_id);
  }
  co_return co_await (this->*route.run)(std::move(call));
}

task<api_response> admin_api::balance(call call) {
  return billing_.balance(std::move(call.org), std::move(call.request));
}
task<api_response> admin_api::usage(call call) {
  return billing_.usage(std::move(call.org), std::move(call.request));
}
task<api_response> admin_api::burn_down(call call) {
  return billing_.burn_down(std::move(call.org), std::move(call.request));
}

task<api_response> admin_api::quote(call call) {
  return billing_.quote(std::move(call.org), std::move(call.request));
}

task<api_response> admin_api::projection(call call) {
  return billing_.projection(std::move(call.org), std::move(call.request));
}
task<api_response> admin_api::entries(call call) {
  return billing_.entries(std::move(call.org), std::move(call.request));
}
task<api_response> admin_api::holds(call call) {
  return billing_.holds(std::move(call.org), std::move(call.request));
}
task<api_response> admin_api::grants(call call) {
  return billing_.grants(std::move(call.org), std::move(call.request));
}
task<api_response> admin_api::statements(call call) {
  return billing_.statements(std::move(call.org), std::move(call.request));
}
task<api_response> admin_api::statement(call call) {
  return billing_.statement(std::move(call.org), std::move(call.item), std::move(call.request));
}
task<api_response> admin_api::events(call call) {
  return billing_.events(std::move(call.org), std::move(call.request));
}
task<api_response> admin_api::top_ups(call call) {
  return billing_.top_ups(std::move(call.org), std::move(call.request));
}

}  // namespace tollgate::proxy::admin
