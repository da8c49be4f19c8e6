// Drops old data. `tollgate:{ORG}:retained` records what remains, and `tollgate:store_id`
// identifies the store.
#pragma once

#include "quota/redis/connection.hpp"
#include "quota/retention.hpp"

namespace tollgate::quota::redis {

class redis_retention final : public retention_store {
 public:
  explicit redis_retention(connection& connection) : connection_{connection} {}

  task<result<retained>> what_is_retained(const org_id& org) override;
  task<result<std::string>> store_id() override;
  task<result<std::string>> name_store(std::string fresh) override;
  task<result<bool>> drop_entries(const org_id& org, std::string first) override;
  task<result<void>> remember_summed(const org_id& org, std::int64_t next_day) override;
  task<result<bool>> drop_usage_detail(const org_id& org, std::int64_t day) override;
  task<result<bool>> coarsen_usage(const org_id& org, coarsening what,
                                   const retained& known) override;

 private:
  connection& connection_;
};

// Lua, a function dropped_through(LEDGER, RETAINED): the id up to which the ledger is dropped.
std::string_view dropped_through_lua();

}  // namespace tollgate::quota::redis
