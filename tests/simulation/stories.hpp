// What happens in the world of the simulation.
#pragma once

#include "tests/simulation/world.hpp"

namespace tollgate::tests {

struct script_of_a_day {
  std::size_t steps = 2'000;
  bool durable = false;  // the server writes every change to disk, and is killed and restarted
};

// Any operation on any hold at any time: duplicates, late and lost messages, ids of other days,
// amounts of every size. Checks that both ledgers answer alike and keep the same books.
void run_chaos(dice& dice, const script_of_a_day& day);

// Whole calls, each with its own charge, over a network that loses requests and replies. Checks
// that every call is charged exactly once, exactly what it used.
void run_calls(dice& dice, const script_of_a_day& day);

// Months of accounts with plans: calls, grants that run out, cycles that close while calls are
// under way, changes of plan and options, spend caps, limits, request rates, top-ups that are paid,
// declined, late and told twice; time stands still, hurries, or jumps over years.
void run_plans(dice& dice, const script_of_a_day& day);

// Thousands of conversations with a limit in total each, most of them used for a while and never
// again: their totals are packed, and those that come back count on from the same amount. Checks
// every one of them at the end.
void run_totals(dice& dice, const script_of_a_day& day);

// Thirty years of organizations with a billion credits a month, closed and proven month by month;
// `steps` calls in all. Checks besides that every allocation, every pack and every bill is whole.
void run_decades(dice& dice, const script_of_a_day& day);

// One account in which everything has happened, and then each kind of its rows altered in each
// field that carries money: `verify` names it. The store's clock moved by anything: it names
// nothing.
void run_altered(dice& dice, const script_of_a_day& day);

// The store's clock is set back between two steps that belong together: what a limit has counted,
// what was kept for a hold and in which cycle it is does not depend on where the clock was. Each
// case with what must come of it.
void run_set_back(dice& dice, const script_of_a_day& day);

// What befalls the server between two steps. True: it has come back from a restart.
bool disturb(world& world, dice& dice, const script_of_a_day& day);

}  // namespace tollgate::tests
