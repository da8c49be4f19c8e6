// The state of one account, as values. The ledger in C++ keeps them in memory, the ledger in Redis
// stores the same data (see quota/STORAGE.md); a snapshot reads them back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quota/alert.hpp"
#include "quota/grants.hpp"
#include "quota/ledger/operation.hpp"
#include "quota/plan.hpp"
#include "quota/top_up.hpp"

namespace tollgate::quota {

// The bound of an account's lifetime grants. Only operations that can be refused stop at it:
// allocations and bills have another 10^18, and 64 bits hold that.
inline constexpr std::int64_t max_lifetime_micro = 8'000'000'000'000'000'000;  // 8 * 10^12 credits
// The bound of an account's credits, holds included: payments and allocations may reach it, so that
// they are never cut; everything else stops at credits::max_micro.
inline constexpr credits max_posted = credits::from_micro(2 * credits::max_micro);

// The lifetime totals of an account. All except `held` only grow (corrections excepted).
struct account_row {
  credits granted, settled, held, expired;
  bool suspended = false;

  credits available() const { return granted - settled - held - expired; }
  credits posted() const { return granted - settled - expired; }
  bool operator==(const account_row&) const = default;
};

// The grants behind the totals. Always:
//   posted = total(active) - (settled - mark) + total(kept) - overdrawn
// where (settled - mark) is first burned off `active`, and the part that `active` does not cover is
// overdrawn.
struct account_grants {
  grant_list active;  // as of `mark`
  credits mark;       // the settled total when `active` was last updated
  std::vector<kept_batch> kept;

  credits kept_total() const {
    credits sum;
    for (const auto& batch : kept) sum += total(batch.grants);
    return sum;
  }
  bool operator==(const account_grants&) const = default;
};

// Plan, options and cycle of an account. They exist from the first `configure` on.
struct account_plan {
  plan_terms terms;
  std::optional<plan_terms> next_terms;  // take effect with the next cycle
  account_options options;
  // For each limit, the account's sequence when it was set: holds placed before are not counted. It
  // is later than the clock at that time by as much as the clock had been ahead.
  std::vector<time_point> limits_since;
  int anchor_day = 1;
  std::int64_t cycle = 0;  // the first is 0
  time_point start, end;   // of the cycle
  time_point usual_end;    // its end without the change of anchor in this cycle
  time_point began;        // of the first `configure`
  credits peak;            // the largest allocation in this cycle
  // The overdrawn credits that are owed in credits and never billed: they were used in an earlier
  // cycle without overage, or taken back by a correction.
  credits owed;
  std::vector<bool> armed;  // for each alert of the organization: fires at the next crossing
  std::vector<time_point>
      alerts_since;  // for each alert of an agent, conversation or key: the start of its count
  bool told_exhausted = true;  // reported since the last credits; true before there were any
  bool told_cap = false;       // reported in this cycle, since the options changed

  bool operator==(const account_plan&) const = default;
};

// One line of a bill: credits at one price.
struct billed_overage {
  credits amount;
  std::int64_t usd_micro_per_credit = 0;

  bool operator==(const billed_overage&) const = default;
};

// The books of one cycle. When a hold placed in it settles late, keeps credits or gives them back
// late, these books record it. So the lines may change while such holds are open.
struct cycle_record {
  std::int64_t index = 0;
  time_point start, end;
  bool closed = false;
  credits settled;  // closed: its total; open: the account's total at the start, which has to be
                    // subtracted
  credits allocation, purchase, top_up, promotion, correction;  // granted
  credits rolled_in, rolled_out, forfeited;
  std::vector<billed_overage> billed;
  // Closed: the plan's name and price at the close.
  std::string plan;
  std::int64_t usd_micro_per_credit = 0;
  credits overage_room;      // closed: how much late settlements may still bill as overage
  credits rollover_room;     // closed: how much late releases may still roll over,
  time_point rollover_ends;  // and the expiry of those credits

  bool operator==(const cycle_record&) const = default;
};

// How much may be used beyond all grants and billed: nothing without a price or the option, and
// never more than the spend cap leaves. What was already billed in this cycle (`cycle.billed`,
// after a change of price) counts, too.
credits overage_room(const account_plan& plan, const cycle_record& cycle,
                     const top_up_state& top_up);
bool allows_overage(const account_plan& plan);
// How many of the overdrawn credits would be billed if the cycle closed now. The rest is owed in
// credits.
credits billable_overage(const account_plan& plan, const cycle_record& cycle,
                         const top_up_state& top_up, credits overdrawn);

// The balance before the first cycle is zero; each cycle opens with the closing balance of the
// previous one.
//   closing = opening + granted + rolled_in + billed - settled - rolled_out - forfeited
struct statement {
  cycle_record record;  // `settled` is the cycle's, whether it is closed or not
  credits opening, closing;
  credits overage;                 // billed; in an open cycle, what would be billed now
  std::int64_t overage_cents = 0;  // rounded half up, once
  // Payments for credits in the cycle: packs bought by hand, and automatic top-ups.
  std::int64_t packs_cents = 0, automatic_cents = 0;

  std::int64_t paid_cents() const { return overage_cents + packs_cents + automatic_cents; }
};

}  // namespace tollgate::quota
