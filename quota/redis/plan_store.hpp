// The terms of plans, in the hash `tollgate:plans` (quota/STORAGE.md).
#pragma once

#include "quota/plan_store.hpp"
#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {

class redis_plan_store final : public plan_store {
 public:
  explicit redis_plan_store(connection& connection) : connection_{connection} {}

  task<result<presented_plans>> present(std::string sidecar, std::vector<plan_terms> plans,
                                        plan_consent consent) override;
  store_state refused() const override { return refused_; }
  task<result<void>> leave(std::string sidecar) override;

 private:
  connection& connection_;
  store_state refused_{store_trouble::none, {}};
};

}  // namespace tollgate::quota::redis
