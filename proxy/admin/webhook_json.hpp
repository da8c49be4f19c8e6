// Reads and formats webhook endpoints for the admin API. Pure.
#pragma once

#include "config/settings.hpp"
#include "proxy/net/api/body.hpp"
#include "proxy/text/json_writer.hpp"
#include "quota/webhook_store.hpp"

namespace tollgate::proxy::admin {

body_fields webhook_fields();

// Checks URLs against the current configuration.
checked<quota::webhook_change> read_webhook(const json_value& body,
                                            const config::webhook_settings& rules);

// Without its secrets, except for their age. `pending`: the number of events it has yet to receive.
void write_webhook(json_writer& out, const quota::webhook_endpoint& endpoint, std::size_t pending);

// The result of one attempt: {"event","delivered","status","error"}.
std::string attempt_json(std::string_view event, const quota::webhook_attempt& attempt);

// The dead letters of one page; `after` is the position at which a page without any ends.
std::string dead_letters_json(const quota::org_id& org,
                              const std::vector<quota::dead_letter>& letters,
                              std::string_view after, bool has_more);

}  // namespace tollgate::proxy::admin
