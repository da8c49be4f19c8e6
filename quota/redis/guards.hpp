// Reads the values that the ledger's script caches for a call, so that they can be verified.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quota/guards.hpp"
#include "quota/redis/connection.hpp"

struct redisReply;

namespace tollgate::quota::redis {

class redis_guards final : public guard_store {
 public:
  explicit redis_guards(connection& connection) : connection_{connection} {}

  task<result<account_guards>> guards(const org_id& org) override;

 private:
  connection& connection_;
};

// EVAL with the script and its keys; and its reply.
std::vector<std::string> guards_command(const org_id& org);
std::optional<account_guards> parse_guards(const redisReply& reply);

}  // namespace tollgate::quota::redis
