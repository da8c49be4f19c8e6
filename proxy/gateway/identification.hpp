// Tells the platform's own upstreams who pays for a call: many organizations share the one key they
// see. Only Tollgate sets these fields, and it signs them if the upstream asks for that.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace tollgate::proxy {

struct identified_caller {
  std::string_view org, key_id, agent, conversation;
};

// Also signed: the request line as the upstream sees it, and the time.
struct signed_request {
  std::string_view method, target;
  std::int64_t unix_seconds = 0;
};

// A header value that every server reads the same way: characters that are not visible ASCII are
// percent-encoded, and so are `%` itself and a blank at either end.
std::string header_value_of(std::string_view name);

// Appends the fields, one per line; nothing if the upstream is not told, or the caller is not
// known.
void append_identification(std::string& out, const config::identify_settings& settings,
                           const identified_caller& caller, const signed_request& request);

}  // namespace tollgate::proxy
