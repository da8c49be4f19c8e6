// Retention in memory, beside a memory_store.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quota/ledger/entry_id.hpp"
#include "quota/retention.hpp"
#include "tests/support/memory_store.hpp"

namespace tollgate::tests {

class memory_retention final : public retention_store {
 public:
  explicit memory_retention(memory_store& ledger) : ledger_{ledger} {}

  std::string id;  // of the store
  std::map<org_id, retained> kept;
  std::vector<std::string> dropped;  // "acme 5-0": what was dropped, in order

  task<result<retained>> what_is_retained(const org_id& org) override {
    if (!ledger_.reachable) co_return store_errc::unavailable;
    co_return kept[org];
  }
  task<result<std::string>> store_id() override {
    if (!ledger_.reachable) co_return failed<std::string>();
    co_return done(id);
  }
  task<result<std::string>> name_store(std::string fresh) override {
    if (!ledger_.reachable) co_return failed<std::string>();
    if (id.empty()) id = std::move(fresh);
    co_return done(id);
  }
  task<result<bool>> drop_entries(const org_id& org, std::string first) override {
    if (!ledger_.reachable) co_return failed<bool>();
    dropped.push_back(org + ' ' + first);
    kept[org].dropped_through = std::move(first);
    co_return true;
  }
  task<result<void>> remember_summed(const org_id& org, std::int64_t next_day) override {
    if (!ledger_.reachable) co_return store_errc::unavailable;
    kept[org].next_day = next_day;
    co_return result<void>{};
  }
  task<result<bool>> drop_usage_detail(const org_id& org, std::int64_t day) override {
    if (!ledger_.reachable) co_return failed<bool>();
    if (kept[org].next_day <= day) co_return false;
    kept[org].first_hour = (day + 1) * 24;
    co_return true;
  }
  task<result<bool>> coarsen_usage(const org_id& org, coarsening what,
                                   const retained& known) override {
    if (!ledger_.reachable) co_return failed<bool>();
    if (known != kept[org]) co_return false;
    (what.by == usage_grain::day ? kept[org].hours_from : kept[org].days_from) = what.end_day;
    co_return true;
  }

 private:
  template <class T>
  static result<T> failed() {
    return {boost::system::in_place_error, make_error_code(store_errc::unavailable)};
  }
  static result<std::string> done(const std::string& text) {
    return {boost::system::in_place_value, text};
  }

  memory_store& ledger_;
};

}  // namespace tollgate::tests
