#include "proxy/webhooks/sender.hpp"

#include "proxy/net/outbound/public_address.hpp"

namespace tollgate::proxy::webhooks {

namespace {

outbound::client::address_rule rule_of(const config::webhook_settings& settings) {
  if (settings.allow_private) return {};
  return outbound::is_public;
}

}  // namespace

sender::sender(const config::webhook_settings& settings, outbound::name_resolver* names)
    : settings_{settings},
      attempts_{settings.retries},
      client_{settings.ca_file, rule_of(settings), names} {}

// Checks the URL again: the configuration may have changed since the endpoint was created.
task<quota::webhook_attempt> sender::send(const quota::webhook_endpoint& endpoint, message what,
                                          quota::time_point now) {
  const auto give_up = std::chrono::steady_clock::now() + settings_.timeout;
  quota::webhook_attempt attempt;
  attempt.at = now;
  attempt.error = refuse_url(endpoint.url, settings_);
  if (!attempt.error.empty()) co_return attempt;
  const auto to = *outbound::parse_url(endpoint.url);
  auto request = request_of(what, to, endpoint.secrets, attempt.at);
  const auto reply = co_await client_.send(to, std::move(request), give_up);
  if (!reply) {
    attempt.error = reply.error().message();
  } else {
    attempt.status = reply->status;
    if (reply->status / 100 != 2) attempt.error = "it answered " + std::to_string(reply->status);
  }
  co_return attempt;
}

}  // namespace tollgate::proxy::webhooks
