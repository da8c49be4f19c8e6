// The environment of the simulation: a real redis-server, several connections to it, and for each
// account the oracle with which every answer and every balance is compared. Time is simulated: the
// library reads a key instead of the server's clock, so that years pass in a moment.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "quota/ledger/account_ledger.hpp"
#include "quota/redis/ledger_library.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/verify.hpp"
#include "tests/support/redis_client.hpp"
#include "tests/support/redis_server.hpp"

namespace tollgate::tests {

struct disagreement : std::runtime_error {
  using runtime_error::runtime_error;
};

class dice final : public quota::id_source {
 public:
  explicit dice(std::uint64_t seed) : engine_{seed} {}
  std::uint64_t random_bits() override { return engine_(); }
  std::size_t below(std::size_t n) { return engine_() % n; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::size_t>(high - low + 1)));
  }
  bool chance(int in_a_thousand) { return below(1000) < static_cast<std::size_t>(in_a_thousand); }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 engine_;
};

// What the sidecars' configuration says of critical calls.
inline const quota::critical_terms critical_calls{quota::credits::from_whole(200), 60, 3};

struct account {
  quota::org_id org;
  quota::account_ledger oracle{critical_calls};
  std::size_t entries_compared = 0;
  std::string last_element = "0-0";
  quota::audit proof;  // of the entries up to `last_element`
  std::size_t proofs = 0;
};

class world {
 public:
  world(dice& dice, bool durable);

  // Applies the batch through one of the connections and to the oracle, and compares the answers.
  std::vector<quota::answer> apply(account& account, const std::vector<quota::operation>& batch);

  // Sends the batch and kills the server before it has answered: the batch took effect completely
  // or not at all.
  void crash_during(account& account, const std::vector<quota::operation>& batch);

  void suspend(account& account, bool suspended);
  void forget_library();
  void misjudge_clock();
  void pass(quota::milliseconds time);  // by the server's clock, which is simulated
  void reconnect();
  void restart();

  void compare_balance(account& account);  // totals, grants, plan: cheap, after every batch
  void compare_everything(
      account& account);  // holds, entries, cycles, top-ups, counters, the audit

  // Drops entries that have been compared and verified on both sides, as after archiving.
  void forget_entries(account& account);
  // Reads everything again; returns the differences without throwing.
  std::vector<quota::difference> verify(const account& account);
  quota::redis::reply_ptr ask(std::vector<std::string> command) {
    return connection().call(std::move(command));
  }

  // How often each outcome was answered and each type of entry written: the coverage of a story.
  std::map<std::string, std::size_t> reached(const std::vector<const account*>& accounts) const;

  quota::time_point now() const { return store_time_; }
  quota::time_point time() const { return time_; }

 private:
  redis_client& connection();
  quota::redis::reply_ptr exchange(const account& account, quota::redis::ledger_batch& encoded);
  std::string last_element(const account& account);  // of the ledger's stream
  quota::account_row recorded(const account& account);
  quota::account_snapshot snapshot(const account& account);
  void set_clock();
  void compare_entries(account& account);
  void compare_holds(account& account);
  void compare_top_ups(account& account);
  void compare_events(account& account);
  void compare_counters(account& account);
  std::vector<quota::usage_counter> counters(const account& account);
  void compare_usage(account& account, const std::vector<quota::usage_counter>& counters);
  quota::account_rows rows(const account& account);
  quota::account_guards guards(const account& account);
  // Limits and alerts of members are verified from all entries, so not if some have been dropped.
  void prove_guards(const account& account, bool with_members,
                    std::vector<quota::difference>& found);
  void prove(account& account);

  dice& dice_;
  redis_server server_;
  std::vector<std::unique_ptr<redis_client>> connections_;
  std::map<std::string, std::size_t> answered_;
  quota::redis::ledger_library library_;  // reads the simulated time
  quota::time_point time_;
  quota::time_point store_time_;  // as far as the client knows
};

}  // namespace tollgate::tests
