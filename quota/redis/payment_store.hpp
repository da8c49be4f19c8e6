// The payments of top-ups in Redis: a hash of its own, so that releases without payments can still
// read the top-ups.
#pragma once

#include "quota/payment_store.hpp"
#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {

class redis_payment_store final : public payment_store {
 public:
  explicit redis_payment_store(connection& connection) : connection_{connection} {}

  task<result<std::string>> remember(const org_id& org, std::string top_up,
                                     std::string payment) override;
  task<result<std::string>> find(const org_id& org, std::string top_up) override;

 private:
  connection& connection_;
};

}  // namespace tollgate::quota::redis
