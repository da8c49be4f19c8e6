// A refusal by the ledger as a problem: what is insufficient, by how much, and until when.
#pragma once

#include <string_view>

#include "routes/problem.hpp"

namespace tollgate::routes {

struct ledger_refusal {
  quota::outcome why = quota::outcome::insufficient_balance;
  quota::credits required, available;
  bool is_least = false;  // the call may cost more: its body has not been read
  quota::obstacle obstacle{};
  std::optional<quota::rate_status> rate{};
  std::string_view whose{};  // the agent, conversation or key that the limit belongs to
  quota::time_point now{};   // the ledger's time
};

problem to_problem(const ledger_refusal& refusal);

}  // namespace tollgate::routes
