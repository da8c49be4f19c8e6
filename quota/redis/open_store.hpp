// A quota::store in Redis.
#pragma once

#include "quota/plan.hpp"
#include "quota/read_budget.hpp"
#include "quota/redis/batch_scheduler.hpp"
#include "quota/redis/connection.hpp"
#include "quota/store.hpp"
#include "quota/store_access.hpp"

namespace tollgate::quota::redis {

struct store_options {
  // Counters of total limits that were idle for this long are packed. Zero: never.
  milliseconds pack_idle_totals{0};
  critical_terms critical = {};
  // An account is looked at this long after its last operation: at most the timeout of holds.
  milliseconds look_after = default_look_after;
  // Limits of a command, and of one with a long answer: connection_options.
  milliseconds timeout{2'000}, report_timeout{30'000};
  // Every change of store::state(), on the store's thread.
  std::function<void(const store_state& now)> on_state = {};
  // Called once for each reason why an account in the store is refused.
  std::function<void(const std::string& why)> on_refusal = {};
  store_access access = store_access::read_write;
  // Bounds the memory of reports (redis_store::use_memory).
  read_budget* memory = nullptr;
};

std::unique_ptr<store> open_store(asio::io_context& context, const address& where,
                                  store_options options = {});

}  // namespace tollgate::quota::redis
