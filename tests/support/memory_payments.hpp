// The payments of top-ups in memory.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "quota/payment_store.hpp"
#include "quota/store_error.hpp"

namespace tollgate::tests {

class memory_payments final : public quota::payment_store {
 public:
  bool reachable = true;  // false: every call answers store_errc::unavailable
  std::map<std::pair<quota::org_id, std::string>, std::string> known;

  task<result<std::string>> remember(const quota::org_id& org, std::string top_up,
                                     std::string payment) override {
    if (!reachable) co_return unavailable();
    co_return known.emplace(std::pair{org, std::move(top_up)}, std::move(payment)).first->second;
  }
  task<result<std::string>> find(const quota::org_id& org, std::string top_up) override {
    if (!reachable) co_return unavailable();
    const auto found = known.find({org, top_up});
    co_return found == known.end() ? std::string{} : found->second;
  }

 private:
  static result<std::string> unavailable() {
    return {boost::system::in_place_error, make_error_code(quota::store_errc::unavailable)};
  }
};

}  // namespace tollgate::tests
