// The index of accounts that are due, in Redis.
#pragma once

#include "quota/due_index.hpp"
#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {

// The three sorted sets, by due_list, and the time of the last walk. They share a hash tag.
inline constexpr std::string_view due_keys[] = {"tollgate:due:{0}:recent", "tollgate:due:{0}:later",
                                                "tollgate:due:{0}:top_ups"};
inline constexpr std::string_view walked_key = "tollgate:due:{0}:walked";

class redis_due_index final : public due_index {
 public:
  explicit redis_due_index(connection& connection) : connection_{connection} {}

  task<result<std::vector<due_account>>> due(std::size_t limit, bool with_top_ups) override;
  task<result<void>> looked(std::vector<account_look> looks) override;
  task<result<void>> walked(std::vector<account_look> looks) override;
  task<result<bool>> claim_walk(milliseconds every) override;

 private:
  task<result<void>> note(std::string_view script, std::vector<account_look> looks);

  connection& connection_;
};

}  // namespace tollgate::quota::redis
