// Everything that is known of one account, as values. The ledger in C++ changes them in memory, the
// ledger in Redis keeps the same beside it (quota/README.md shows where); a snapshot reads them
// back.
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

// Of all grants of an account's life. Only what can be refused stops here: allocations and what is
// billed have another 10^18, and 64 bits hold that.
inline constexpr std::int64_t max_lifetime_micro = 8'000'000'000'000'000'000;  // 8 * 10^12 credits
// Of what an account has, including holds: what was paid for and what a plan allots may go so far,
// so that it is never cut; everything else stops at credits::max_micro.
inline constexpr credits max_posted = credits::from_micro(2 * credits::max_micro);

// The totals of an account, over its whole life; all but `held` only ever grow (corrections
// excepted).
struct account_row {
  credits granted, settled, held, expired;
  bool suspended = false;

  credits available() const { return granted - settled - held - expired; }
  credits posted() const { return granted - settled - expired; }
  bool operator==(const account_row&) const = default;
};

// The grants behind the totals. Always:
//   posted = total(active) - (settled - mark) + total(kept) - overdrawn
// where (settled - mark) is burned off `active` first, and what it cannot cover is overdrawn.
struct account_grants {
  grant_list active;  // as of `mark`
  credits mark;       // what had been settled when `active` was last brought up to date
  std::vector<kept_batch> kept;

  credits kept_total() const {
    credits sum;
    for (const auto& batch : kept) sum += total(batch.grants);
    return sum;
  }
  bool operator==(const account_grants&) const = default;
};

// Plan, options and cycle of an account; nothing of it before the first `configure`.
struct account_plan {
  plan_terms terms;
  std::optional<plan_terms> next_terms;  // take effect with the next cycle
  account_options options;
  // Of each limit, the number of the account's sequence at which it was set: holds that had been
  // placed by then are not counted. It is later than the clock then said, by as much as the clock
  // was ahead before.
  std::vector<time_point> limits_since;
  int anchor_day = 1;
  std::int64_t cycle = 0;  // counted from the first, 0
  time_point start, end;   // of the cycle
  time_point usual_end;    // where it would have ended, had the anchor not been moved in it
  time_point began;        // of the first `configure`
  credits peak;            // the largest allocation that has been in force in this cycle
  // Of what is overdrawn, what is owed in credits and never billed: it was used in an earlier
  // cycle, when there was no overage, or taken back by a correction.
  credits owed;
  std::vector<bool> armed;  // of each alert of the organization: fires at the next crossing
  std::vector<time_point>
      alerts_since;            // of each of an agent, conversation or key: counts from then
  bool told_exhausted = true;  // since the last credits came; true before there were any
  bool told_cap = false;       // in this cycle, since the options changed

  bool operator==(const account_plan&) const = default;
};

// One line of a bill: so many credits at this price.
struct billed_overage {
  credits amount;
  std::int64_t usd_micro_per_credit = 0;

  bool operator==(const billed_overage&) const = default;
};

// The books of one cycle. What settled, was kept or was given back late, of holds that were placed
// in it, is booked in it; so its lines may still move while such holds are open.
struct cycle_record {
  std::int64_t index = 0;
  time_point start, end;
  bool closed = false;
  credits settled;  // closed: in all; open: the account's total when it began, which is to be
                    // subtracted
  credits allocation, purchase, top_up, promotion, correction;  // granted
  credits rolled_in, rolled_out, forfeited;
  std::vector<billed_overage> billed;
  // Closed: the plan's name and price then.
  std::string plan;
  std::int64_t usd_micro_per_credit = 0;
  credits overage_room;      // closed: what late settlements may still be billed as overage
  credits rollover_room;     // closed: what late releases may still roll over,
  time_point rollover_ends;  // and until when that lasts

  bool operator==(const cycle_record&) const = default;
};

// What may be used beyond all grants and will be billed: nothing without a price or the option, and
// never more than the spend cap leaves. In a cycle in which `cycle.billed` was billed already
// (after a change of price) that counts, too.
credits overage_room(const account_plan& plan, const cycle_record& cycle,
                     const top_up_state& top_up);
bool allows_overage(const account_plan& plan);
// What of the overdrawn credits would be billed if the cycle closed now. The rest is owed in
// credits.
credits billable_overage(const account_plan& plan, const cycle_record& cycle,
                         const top_up_state& top_up, credits overdrawn);

// The balance before the first cycle is nothing; each opens with what the one before closed with.
//   closing = opening + granted + rolled_in + billed - settled - rolled_out - forfeited
struct statement {
  cycle_record record;  // `settled` is that of the cycle, closed or not
  credits opening, closing;
  credits overage;                 // billed, and in an open cycle what would be billed now
  std::int64_t overage_cents = 0;  // half up, once
  // What was paid in the cycle for credits: bought by hand, and by automatic top-ups.
  std::int64_t packs_cents = 0, automatic_cents = 0;

  std::int64_t paid_cents() const { return overage_cents + packs_cents + automatic_cents; }
};

}  // namespace tollgate::quota
