// Turns an event into an HTTP request, and the answer into a verdict. Pure.
#pragma once

#include <string>
#include <string_view>

#include "config/settings.hpp"
#include "proxy/net/outbound/client.hpp"
#include "quota/webhook_store.hpp"

namespace tollgate::proxy::webhooks {

// The delivered message: the same bytes in every attempt.
struct message {
  std::string id;     // "evt_..."; receivers deduplicate by it
  std::string body;   // the envelope
  quota::org_id org;  // the event's organization
};
message message_of(const quota::org_id& org, const quota::account_event& event);
message message_of(const quota::org_id& org, const quota::dead_letter& letter);
// A sample event, to test an endpoint.
message sample_message(const quota::org_id& org, std::string_view unique, quota::time_point now);

// Signed with every secret that is valid at `now`: the endpoint may have been read a moment before.
outbound::request request_of(const message& what, const outbound::url& to,
                             const std::vector<quota::webhook_secret>& secrets,
                             quota::time_point now);

enum class verdict { delivered, gone, failed };
std::string_view name_of(verdict verdict);
// From the status of the answer; 0: no answer.
verdict verdict_of(int status);

// Why this URL cannot be an endpoint, and what to do about it; empty: it can. Addresses of names
// are checked on connecting.
std::string refuse_url(std::string_view url, const config::webhook_settings& settings);

}  // namespace tollgate::proxy::webhooks
