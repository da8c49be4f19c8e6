#include "proxy/webhooks/delivery.hpp"

#include "proxy/admin/event_report.hpp"
#include "proxy/admin/json_writer.hpp"
#include "proxy/admin/text.hpp"
#include "proxy/outbound/public_address.hpp"
#include "proxy/outbound/signature.hpp"

namespace tollgate::proxy::webhooks {

namespace {

constexpr std::string_view id_prefix = "evt_";

}  // namespace

message message_of(const quota::org_id& org, const quota::account_event& event) {
  return {std::string{id_prefix} + event.id, admin::event_json(org, event)};
}

message message_of(const quota::dead_letter& letter) {
  return {std::string{id_prefix} + letter.event, letter.body};
}

message sample_message(const quota::org_id& org, std::string_view unique, quota::time_point now) {
  message out;
  out.id = "evt_test_" + std::string{unique};
  admin::json_writer json;
  json.begin_object().key("id").string(out.id).key("type").string("webhook.test");
  json.key("created_at").string(admin::to_rfc3339(now)).key("org").string(org);
  json.key("data").begin_object().end_object().end_object();
  out.body = json.take();
  return out;
}

outbound::request request_of(const message& what, const outbound::url& to,
                             const std::vector<quota::webhook_secret>& secrets,
                             quota::time_point now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  std::vector<std::string> texts;
  for (const auto& secret : secrets) texts.push_back(secret.text);
  outbound::request request;
  request.target = to.path;
  request.fields = outbound::signature_fields(texts, what.id, seconds, what.body);
  request.fields.emplace_back("Content-Type", "application/json");
  request.body = what.body;
  request.status_only = true;
  return request;
}

std::string_view name_of(verdict verdict) {
  switch (verdict) {
    case verdict::delivered:
      return "delivered";
    case verdict::gone:
      return "gone";
    case verdict::failed:
      return "failed";
  }
  return "unknown";
}

verdict verdict_of(int status) {
  if (status / 100 == 2) return verdict::delivered;
  return status == 410 ? verdict::gone : verdict::failed;
}

std::string refuse_url(std::string_view url, const config::webhook_settings& settings) {
  const auto parsed = outbound::parse_url(url);
  if (!parsed || url.find('#') != url.npos)
    return "an endpoint is an https:// URL without user, password and fragment";
  if (!parsed->tls && !settings.allow_http) {
    return "an endpoint is an https:// URL; webhooks.allow_http in the configuration allows "
           "http:// too";
  }
  error_code is_name;
  const auto address = asio::ip::make_address(parsed->host, is_name);
  if (is_name || settings.allow_private || outbound::is_public(address)) return {};
  return parsed->host +
         " is no public address; webhooks.allow_private in the configuration allows such";
}

}  // namespace tollgate::proxy::webhooks
