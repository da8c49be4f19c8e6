#include "proxy/webhooks/delivery.hpp"

#include <algorithm>

#include "proxy/account/event_report.hpp"
#include "proxy/net/outbound/public_address.hpp"
#include "proxy/net/outbound/signature.hpp"
#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::webhooks {

message message_of(const quota::org_id& org, const quota::account_event& event) {
  return {admin::event_name(org, event.id), admin::event_json(org, event), org};
}

message message_of(const quota::org_id& org, const quota::dead_letter& letter) {
  return {admin::event_name(org, letter.event), letter.body, org};
}

message sample_message(const quota::org_id& org, std::string_view unique, quota::time_point now) {
  message out;
  out.org = org;
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
  for (const auto& secret : secrets) {
    const bool ended = secret.until != quota::time_point{} && secret.until <= now;
    if (!ended) texts.push_back(secret.text);
  }
  outbound::request request;
  request.target = to.path;
  request.fields = outbound::signature_fields(texts, what.id, seconds, what.body);
  request.fields.emplace_back("Content-Type", "application/json");
  request.body = what.body;
  request.status_only = true;
  request.on_behalf_of = what.org;
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

namespace {

bool is_port(std::string_view text) {
  const auto port = admin::parse_number(text);
  return port && *port > 0 && *port <= 65'535;
}

// Names the reason, for common mistakes.
std::string why_no_endpoint(std::string_view url) {
  const auto is_blank = [](unsigned char c) { return c <= ' ' || c == 0x7F; };
  const auto is_foreign = [](unsigned char c) { return c > 0x7F; };
  if (url.empty()) return "the URL of an endpoint must be https://, and is empty";
  if (std::ranges::any_of(url, is_blank)) return "a URL has no blanks; write %20 in its path";
  if (std::ranges::any_of(url, is_foreign)) {
    return "a URL must be ASCII: write other letters as xn--... in a host, with % in a path";
  }
  const auto host = url.substr(std::min(url.size(), url.find("//") + 2));
  const auto authority = host.substr(0, host.find_first_of("/?#"));
  const auto colon = authority.rfind(':');
  const bool has_port = colon != authority.npos && authority.find(']', colon) == authority.npos;
  if (has_port && authority.find('@') == authority.npos && !is_port(authority.substr(colon + 1))) {
    return "the port of a URL must be a number from 1 to 65535";
  }
  return "the URL of an endpoint must be https:// without user, password and fragment";
}

}  // namespace

std::string refuse_url(std::string_view url, const config::webhook_settings& settings) {
  const auto parsed = outbound::parse_url(url);
  if (!parsed || url.find('#') != url.npos) return why_no_endpoint(url);
  if (!parsed->tls && !settings.allow_http) {
    return "the URL of an endpoint must be https://; webhooks.allow_http in the configuration also "
           "allows http://";
  }
  error_code is_name;
  const auto address = asio::ip::make_address(parsed->host, is_name);
  if (is_name || settings.allow_private || outbound::is_public(address)) return {};
  return parsed->host +
         " is not a public address; webhooks.allow_private in the configuration allows it";
}

}  // namespace tollgate::proxy::webhooks
