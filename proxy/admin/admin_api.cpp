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

// Comparing digests takes the same time for all texts and lengths.
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
  using api = admin_api;
  static const std::vector<route> table{
      {"GET", "orgs", &api::part<&api::orgs_, &org_endpoints::list>, takes::parameters},
      {"GET", "orgs/*", &api::part<&api::orgs_, &org_endpoints::show>},
      {"PUT", "orgs/*", &api::part<&api::orgs_, &org_endpoints::put>, takes::body, true},
      {"GET", "orgs/*/keys", &api::part<&api::keys_, &key_endpoints::list>},
      {"POST", "orgs/*/keys", &api::part<&api::keys_, &key_endpoints::create>, takes::body},
      {"DELETE", "orgs/*/keys/*", &api::part<&api::keys_, &key_endpoints::revoke>},
      {"GET", "orgs/*/grants", &api::report<&billing_api::grants>},
      {"POST", "orgs/*/grants", &api::part<&api::grants_, &grant_endpoints::create>, takes::body},
      {"GET", "orgs/*/balance", &api::report<&billing_api::balance>},
      {"GET", "orgs/*/usage", &api::report<&billing_api::usage>, takes::parameters},
      {"GET", "orgs/*/projection", &api::report<&billing_api::projection>},
      {"GET", "orgs/*/burn_down", &api::report<&billing_api::burn_down>},
      {"GET", "orgs/*/quote", &api::report<&billing_api::quote>, takes::parameters},
      {"GET", "orgs/*/ledger", &api::report<&billing_api::entries>, takes::parameters},
      {"GET", "orgs/*/holds", &api::report<&billing_api::holds>},
      {"GET", "orgs/*/statements", &api::report<&billing_api::statements>},
      {"GET", "orgs/*/statements/*", &api::statement},
      {"GET", "orgs/*/events", &api::report<&billing_api::events>, takes::parameters},
      {"GET", "orgs/*/top_ups", &api::report<&billing_api::top_ups>, takes::parameters},
      {"POST", "orgs/*/top_ups", &api::part<&api::top_ups_, &top_up_endpoints::buy>, takes::body},
      {"POST", "orgs/*/top_ups/*", &api::part<&api::top_ups_, &top_up_endpoints::resolve>,
       takes::body},
      {"GET", "orgs/*/webhooks", &api::part<&api::webhooks_, &webhook_endpoints::list>},
      {"POST", "orgs/*/webhooks", &api::part<&api::webhooks_, &webhook_endpoints::create>,
       takes::body},
      {"GET", "orgs/*/webhooks/*", &api::part<&api::webhooks_, &webhook_endpoints::show>},
      {"PUT", "orgs/*/webhooks/*", &api::part<&api::webhooks_, &webhook_endpoints::change>,
       takes::body},
      {"DELETE", "orgs/*/webhooks/*", &api::part<&api::webhooks_, &webhook_endpoints::remove>},
      {"POST", "orgs/*/webhooks/*/rotate", &api::part<&api::webhooks_, &webhook_endpoints::rotate>},
      {"POST", "orgs/*/webhooks/*/finish_rotation",
       &api::part<&api::webhooks_, &webhook_endpoints::finish_rotation>},
      {"POST", "orgs/*/webhooks/*/retry", &api::part<&api::webhooks_, &webhook_endpoints::retry>},
      {"POST", "orgs/*/webhooks/*/test", &api::part<&api::webhooks_, &webhook_endpoints::test>},
      {"GET", "orgs/*/webhooks/*/dead_letters",
       &api::part<&api::webhooks_, &webhook_endpoints::list_dead_letters>, takes::parameters},
      {"POST", "orgs/*/webhooks/*/dead_letters/*/resend",
       &api::part<&api::webhooks_, &webhook_endpoints::resend_dead_letter>},
      {"GET", "plans", &api::part<&api::plans_, &plan_endpoints::list>},
      {"POST", "plans/apply", &api::part<&api::plans_, &plan_endpoints::apply>},
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
      admin_call asked{std::move(request), segment(1), segment(3), segment(5), {}};
      co_return co_await run(route, std::move(asked));
    }
    allow += (allow.empty() ? "" : ", ") + std::string{route.method};
    if (route.method == "GET") allow += ", HEAD";
  }
  if (!allow.empty()) co_return failure(method_not_allowed(allow), request_id);
  co_return failure(not_found("no such endpoint"), request_id);
}

// Input that a call does not read is refused, never ignored: a misspelt or misplaced parameter is
// reported.
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

// All calls about an organization require it to exist, except creating it.
task<api_response> admin_api::run(const route& route, admin_call call) {
  const bool of_one_org = route.pattern.starts_with("orgs/");
  if (of_one_org) {
    if (!quota::is_valid_org_id(call.org)) {
      co_return failure(invalid("an organization id must be 1 to 64 of A-Z a-z 0-9 . _ -", "org"),
                        call.request.request_id);
    }
    if (!route.creates) {
      auto found = co_await services_.directory.find(call.org);
      if (!found) co_return failure(ledger_unavailable(), call.request.request_id);
      if (!*found) co_return failure(no_such_org(call.org), call.request.request_id);
      call.found = std::move(*found);
    }
  }
  if (const auto error = refuse_unread(route, call.request)) {
    co_return failure(*error, call.request.request_id);
  }
  // Brings the account up to date before it is read, or a change is checked against it.
  if (of_one_org) {
    const auto current = co_await quota::bring_up_to_date(services_.ledger, call.org);
    if (!current) co_return failure(ledger_unavailable(), call.request.request_id);
  }
  co_return co_await (this->*route.run)(std::move(call));
}

task<api_response> admin_api::statement(admin_call call) {
  const auto id = call.request.request_id;
  auto reading = billing_.statement(call.org, std::move(call.item), std::move(call.request));
  return bound_report(report_memory::shared(), std::move(call.org), id, std::move(reading));
}

}  // namespace tollgate::proxy::admin
