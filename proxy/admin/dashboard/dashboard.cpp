#include "proxy/admin/dashboard/dashboard.hpp"

#include <openssl/crypto.h>
#include <spdlog/spdlog.h>

#include "proxy/net/api/body.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy::dashboard {

namespace {

using admin::api_error;
using admin::api_request;
using admin::api_response;
using admin::failure;

api_error unauthorized(std::string code, std::string message) {
  auto error = forbidden(std::move(code), std::move(message));
  error.status = 401;
  return error;
}

api_error too_many() {
  auto error = forbidden("rate_limited", "too many failed logins; try again shortly");
  error.status = 429;
  error.retry_after = std::chrono::seconds{1};
  return error;
}

api_error wrong_secret() {
  return unauthorized("invalid_credentials", "neither the admin token nor a valid API key");
}

// Sets the cookie for two paths. Cookies are not separated by port, so without paths the listener
// for calls on the same host would receive this one. `Secure` if the browser says that it came by
// TLS, which then ends before this listener; a client that lies about that harms only itself.
void set_cookie(api_response& response, std::string_view id, std::chrono::seconds age,
                const browser_fields& browser) {
  for (const std::string path : {"/admin/v1", "/dashboard/session"}) {
    auto cookie = std::string{cookie_name} + "=" + std::string{id} + "; Path=" + path +
                  "; Max-Age=" + std::to_string(age.count()) + "; HttpOnly; SameSite=Strict";
    if (browser.origin.starts_with("https://")) cookie += "; Secure";
    response.headers.emplace_back("Set-Cookie", std::move(cookie));
  }
}

// Digests of fixed length, compared in constant time.
bool same_digest(const quota::key_hash& a, const quota::key_hash& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

task<api_response> dashboard::handle_session(api_request request, browser_fields browser) {
  if (request.method == "POST") co_return co_await log_in(std::move(request), std::move(browser));
  if (request.method == "DELETE") co_return log_out(request, browser);
  if (request.method == "GET" || request.method == "HEAD") {
    co_return co_await show(std::move(request), std::move(browser));
  }
  co_return failure(admin::method_not_allowed("POST, GET, HEAD, DELETE"), request.request_id);
}

task<result<std::optional<session>>> dashboard::identify(std::string secret) {
  const auto hash = quota::hash_key(secret);
  const auto token = services_.admin_token();
  session who;
  who.credential = hash;
  if (!token.empty() && same_digest(hash, quota::hash_key(token))) {
    who.role = role::admin;
    co_return who;
  }
  const auto found = co_await services_.directory.find_key(hash);
  if (!found) co_return found.error();
  if (!*found) co_return std::optional<session>{};
  who.org = (*found)->org;
  co_return who;
}

// A session ends with the credential that began it.
task<result<std::optional<session>>> dashboard::current(std::string id, session_use use) {
  const auto* known = id.empty() ? nullptr : sessions_.find(id, services_.now(), use);
  if (known == nullptr) co_return std::optional<session>{};
  const session who = *known;
  if (who.role == role::admin) {
    const auto token = services_.admin_token();
    if (!token.empty() && same_digest(who.credential, quota::hash_key(token))) co_return who;
  } else {
    const auto owner = co_await services_.directory.find_key(who.credential);
    if (!owner) co_return owner.error();
    if (*owner && (*owner)->org == who.org) co_return who;
  }
  sessions_.end(id);
  co_return std::optional<session>{};
}

task<std::optional<api_error>> dashboard::authorize(browser_fields browser, std::string method,
                                                    std::string path, session_use use) {
  const auto who = co_await current(std::string{session_id_in(browser.cookie)}, use);
  if (!who) co_return admin::ledger_unavailable();
  if (!*who) co_return unauthorized("session_over", "not logged in, or the session has ended");
  co_return refuse_call(**who, browser, method, path);
}

task<api_response> dashboard::log_in(api_request request, browser_fields browser) {
  if (!is_same_origin(browser)) {
    co_return failure(forbidden("cross_site", "log in on the dashboard's own page"),
                      request.request_id);
  }
  const auto body = admin::read_body(request, {{"secret"}, {}});
  if (!body) co_return failure(body.error(), request.request_id);
  const auto secret = admin::text_field(*body, "secret", 1024);
  if (!secret) co_return failure(secret.error(), request.request_id);
  if (!*secret || (*secret)->empty()) {
    co_return failure(admin::invalid("send the admin token or an API key", "secret"),
                      request.request_id);
  }
  const auto who = co_await identify(**secret);
  if (!who) co_return failure(admin::ledger_unavailable(), request.request_id);
  if (!*who) {
    auto refusing = refuse_login(request.request_id, browser.address);
    co_return co_await std::move(refusing);
  }
  sessions_.end(session_id_in(browser.cookie));
  const auto id = sessions_.begin(**who, services_.now());
  spdlog::info("dashboard login role={} org={} request_id={}",
               (*who)->role == role::admin ? "admin" : "customer", (*who)->org, request.request_id);
  auto response = admin::success(session_json(*sessions_.find(id, services_.now()), id), 201);
  set_cookie(response, id, session_store::max_age, browser);
  co_return response;
}

task<api_response> dashboard::refuse_login(std::string request_id, std::string address) {
  spdlog::warn("dashboard login refused client={} request_id={}", address, request_id);
  auto& own = failing_[address];
  if (own >= max_failing_of_an_address || failing_in_all_ >= max_failing) {
    if (own == 0) failing_.erase(address);
    co_return failure(too_many(), request_id);
  }
  ++own, ++failing_in_all_;
  co_await services_.pause(failure_pause);
  --failing_in_all_;
  const auto waiting = failing_.find(address);
  if (--waiting->second == 0) failing_.erase(waiting);
  co_return failure(wrong_secret(), request_id);
}

// An anonymous caller gets an answer, not an error: every first visit calls this.
task<api_response> dashboard::show(api_request request, browser_fields browser) {
  const std::string id{session_id_in(browser.cookie)};
  const auto who = co_await current(id, session_use::call);
  if (!who) co_return failure(admin::ledger_unavailable(), request.request_id);
  const bool foreign = !browser.fetch_site.empty() && browser.fetch_site != "none" &&
                       browser.fetch_site != "same-origin";
  if (!*who || foreign) co_return admin::success(R"({"role":null})");
  co_return admin::success(session_json(**who, id));
}

api_response dashboard::log_out(const api_request& request, const browser_fields& browser) {
  if (!is_same_origin(browser)) {
    return failure(forbidden("cross_site", "log out on the dashboard's own page"),
                   request.request_id);
  }
  sessions_.end(session_id_in(browser.cookie));
  auto response = admin::success(R"({"role":null})");
  set_cookie(response, "", std::chrono::seconds{0}, browser);
  return response;
}

std::string dashboard::session_json(const session& who, std::string_view id) const {
  admin::json_writer out;
  out.begin_object().key("role").string(who.role == role::admin ? "admin" : "customer");
  out.key("org").string_or_null(who.org).key("csrf").string(csrf_token(id));
  out.key("seconds_left").number(sessions_.time_left(who, services_.now()).count()).end_object();
  return out.take();
}

}  // namespace tollgate::proxy::dashboard
