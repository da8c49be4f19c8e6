// Webhook endpoints as the admin API reads and shows them: pure.
#pragma once

#include "config/settings.hpp"
#include "proxy/net/api/body.hpp"
#include "proxy/text/json_writer.hpp"
#include "quota/webhook_store.hpp"

namespace tollgate::proxy::admin {

body_fields webhook_fields();

// URLs are held to the rules of the configuration in force.
checked<quota::webhook_change> read_webhook(const json_value& body,
                                            const config::webhook_settings& rules);

// Without its secrets, of which only their age is shown. `pending`: events that it still waits for.
void write_webhook(json_writer& out, const quota::webhook_endpoint& endpoint, std::size_t pending);

// The result of one attempt: {"event","delivered","status","error"}.
std::string attempt_json(std::string_view event, const quota::webhook_attempt& attempt);

// The letters of one page; `after` is where a page without any ends.
std::string dead_letters_json(const quota::org_id& org,
                              const std::vector<quota::dead_letter>& letters,
                              std::string_view after, bool has_more);

}  // namespace tollgate::proxy::admin
