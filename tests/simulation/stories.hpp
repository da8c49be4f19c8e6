// The stories of the simulation.
#pragma once

#include "tests/simulation/world.hpp"

namespace tollgate::tests {

struct script_of_a_day {
  std::size_t steps = 2'000;
  bool durable = false;  // the server writes every change to disk, and is killed and restarted
};

// Any operation on any hold at any time: duplicates, late and lost messages, ids of other days,
// amounts of every size. Checks that both ledgers give the same answers and keep the same books.
void run_chaos(dice& dice, const script_of_a_day& day);

// Complete calls, each with its own charge, over a network that loses requests and replies. Checks
// that every call is charged exactly once, for exactly its usage.
void run_calls(dice& dice, const script_of_a_day& day);

// Months of accounts with plans: calls, grants that expire, cycles that close during calls, changes
// of plan and options, spend caps, limits, request rates, top-ups that are paid, declined, late and
// reported twice; time stops, moves fast, or jumps over years.
void run_plans(dice& dice, const script_of_a_day& day);

// Thousands of conversations with a total limit each, most of them used for a while and never
// again: their totals are packed, and those that return continue from the same amount. Checks every
// one of them at the end.
void run_totals(dice& dice, const script_of_a_day& day);

// Thirty years of organizations with a billion credits per month, closed and verified month by
// month; `steps` calls in all. Also checks that every allocation, every pack and every bill is
// exact.
void run_decades(dice& dice, const script_of_a_day& day);

// One account in which everything has happened, and then each kind of its rows altered in each
// field that contains money: `verify` names it. With the store's clock moved by any amount,
// `verify` names nothing.
void run_altered(dice& dice, const script_of_a_day& day);

// The store's clock is set back between two related steps: the counts of limits, the credits kept
// for a hold and the cycle of a hold do not depend on the clock. Each case with its expected
// result.
void run_set_back(dice& dice, const script_of_a_day& day);

// What happens to the server between two steps. True: it has restarted.
bool disturb(world& world, dice& dice, const script_of_a_day& day);

}  // namespace tollgate::tests
