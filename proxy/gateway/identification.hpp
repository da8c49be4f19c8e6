// Who pays for a call, told to an upstream of the platform's own: many organizations stand behind
// its one key. The fields are set here and by nobody else, and signed where the upstream asks for
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace tollgate::proxy {

struct identified_caller {
  std::string_view org, key_id, agent, conversation;
};

// What is signed besides: the request line as the upstream sees it, and when.
struct signed_request {
  std::string_view method, target;
  std::int64_t unix_seconds = 0;
};

// A header's value that every server reads alike: what is not visible ASCII is percent-encoded, and
// so are `%` itself and a blank at either end.
std::string header_value_of(std::string_view name);

// Appends the fields, a line each; nothing for an upstream that is not told, or a caller that is
// not known.
void append_identification(std::string& out, const config::identify_settings& settings,
                           const identified_caller& caller, const signed_request& request);

}  // namespace tollgate::proxy
