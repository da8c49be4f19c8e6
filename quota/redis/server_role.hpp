// Whether a server is a master. A replica that takes writes (`replica-read-only no`) answers every
// command like one, and loses what is written to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quota/store_state.hpp"

struct redisReply;

namespace tollgate::quota::redis {

// In the order in which they are tried: a user may be allowed one and not the other.
enum class role_question : std::uint8_t { role, info, none };

std::vector<std::string> command_of(role_question question);
role_question next_after(role_question question);

struct server_role {
  store_trouble trouble = store_trouble::none;  // of a server that is no master
  std::string detail;
};
// The answer to either question; not an error reply.
server_role parse_role(const redisReply& reply);

}  // namespace tollgate::quota::redis
