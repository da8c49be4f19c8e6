// Reports on an account: balances, ledger entries, usage, statements' cycles, events. Same
// threading rules as quota/ledger.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quota/ledger/account_ledger.hpp"
#include "quota/store_error.hpp"
#include "quota/task.hpp"

namespace tollgate::quota {

struct open_hold {
  hold_id id;
  credits amount;
  time_point expires_at;
  time_point placed_at;
  std::string request_id;
  attribution who;
  std::optional<use> answered = {};          // its answer has begun: the charge if it expires
  std::optional<std::int64_t> counted = {};  // the account's sequence when limits counted it
};

// A consistent picture of one account: all members were read in one atomic step, together with the
// id of the last ledger entry at that moment.
struct account_snapshot {
  account_row row;
  account_grants grants;  // up to date: grants.mark == row.settled
  credits overdrawn;      // used beyond all grants, and not yet billed
  std::optional<account_plan> plan;
  top_up_state top_up;
  std::vector<std::string> open_top_ups;  // requested, pending or timed out
  std::vector<cycle_record> cycles;       // oldest first
  std::vector<open_hold> holds;
  std::string last_entry_id;  // "0-0" when there is none
  // The first and the last hour with usage counters; empty if they were not recorded.
  std::optional<std::pair<std::int64_t, std::int64_t>> usage_hours = {};
};

struct grant_record {
  std::string id, kind, note;
  credits amount;
  time_point at;
  time_point expires_at{};  // time_point{}: never
  int priority = 50;
};

// One usage counter of one hour. `hour` counts from the Unix epoch.
struct usage_counter {
  std::int64_t hour = 0;
  attribution who;
  credits charged;
  std::int64_t calls = 0;
  std::int64_t used = 0;
  std::int64_t billed_us = 0;  // of audio; an earlier version did not count it
};

// A position in an account's history: after this event and after this ledger entry.
struct stream_positions {
  std::string event = "0-0", entry = "0-0";

  bool operator==(const stream_positions&) const = default;
};

// The changes of an account between two positions, read in one step with its totals.
struct account_changes {
  stream_positions up_to;             // the end of these changes
  bool more = false;                  // this is not the requested end: continue from there
  bool moved = false;                 // there were ledger entries; without any, ignore `row`
  std::vector<account_event> events;  // in order
  credits charged;                    // by all settled calls together
  std::int64_t calls = 0;
  time_point last_entry_at;
  account_row row;  // at the time of reading
};

// Which changes after a position are no longer available.
struct account_gap {
  bool events = false, usage = false;

  bool operator==(const account_gap&) const = default;
};

// Reports on an account. No charge depends on them. An archive may be behind this interface
// (proxy/archive/archived_history.hpp).
class account_history {
 public:
  virtual ~account_history() = default;

  virtual task<result<account_snapshot>> snapshot(const org_id& org) = 0;
  // The same with `holds` left empty: an account may have thousands.
  virtual task<result<account_snapshot>> snapshot_without_holds(const org_id& org) {
    return snapshot(org);
  }
  // Entries after the id `after` ("0-0": from the first), oldest first, at most `limit`.
  virtual task<result<std::vector<ledger_entry>>> entries(const org_id& org, std::string after,
                                                          std::size_t limit) = 0;
  virtual task<result<std::vector<grant_record>>> grants(const org_id& org) = 0;
  // Counters of the hours [first, last], both included.
  virtual task<result<std::vector<usage_counter>>> usage(const org_id& org, std::int64_t first_hour,
                                                         std::int64_t last_hour) = 0;
  // The same, one counter after the other. If details are dropped meanwhile, some may be missing:
  // usage_generation() has changed then.
  using counter_taker = std::function<void(const usage_counter&)>;
  virtual task<result<void>> each_usage(const org_id& org, std::int64_t first_hour,
                                        std::int64_t last_hour, counter_taker take) {
    const auto counters = co_await usage(org, first_hour, last_hour);
    if (!counters) co_return counters.error();
    for (const auto& counter : *counters) take(counter);
    co_return result<void>{};
  }
  // The same, summed over agents and conversations, whose number is unlimited. So years of usage
  // are cheap to read.
  virtual task<result<std::vector<usage_counter>>> usage_summary(const org_id& org,
                                                                 std::int64_t first_hour,
                                                                 std::int64_t last_hour) = 0;
  // The same, one counter after the other.
  virtual task<result<void>> each_usage_summary(const org_id& org, std::int64_t first_hour,
                                                std::int64_t last_hour, counter_taker take) {
    const auto counters = co_await usage_summary(org, first_hour, last_hour);
    if (!counters) co_return counters.error();
    for (const auto& counter : *counters) take(counter);
    co_return result<void>{};
  }
  // Changes when usage of the hours [first, last] is aggregated further: agents are dropped, or
  // counters move to other hours. A report made of several reads with a change in between may lack
  // usage or count it twice.
  virtual task<result<std::string>> usage_generation(const org_id& org, std::int64_t first_hour,
                                                     std::int64_t last_hour) = 0;
  // `usage` of hours before this one has no agents and conversations: they were dropped. 0: all
  // hours have them.
  virtual task<result<std::int64_t>> callers_known_from(const org_id& org) = 0;
  // The parts of usage, for an archive that stores them separately: the hourly counters while their
  // details are retained; the same from daily summaries; and usage that was settled late, in the
  // last hours of closed cycles.
  virtual task<result<std::vector<usage_counter>>> hourly_usage(const org_id& org,
                                                                std::int64_t first_hour,
                                                                std::int64_t last_hour) = 0;
  virtual task<result<std::vector<usage_counter>>> summed_usage(const org_id& org,
                                                                std::int64_t first_hour,
                                                                std::int64_t last_hour) = 0;
  virtual task<result<std::vector<usage_counter>>> late_usage(const org_id& org,
                                                              std::int64_t first_hour,
                                                              std::int64_t last_hour) = 0;
  // The books of all cycles, oldest first.
  virtual task<result<std::vector<cycle_record>>> cycles(const org_id& org) = 0;
  // All top-ups, oldest first.
  virtual task<result<std::vector<top_up_record>>> top_ups(const org_id& org) = 0;
  // Events after the event `after` ("0-0": all that are stored), oldest first.
  virtual task<result<std::vector<account_event>>> events(const org_id& org, std::string after,
                                                          std::size_t limit) = 0;
  // Events and the ledger's charges between two positions: cheap enough to call many times a
  // second. If the answer is partial, events and entries end at the same moment. Without `after`:
  // the current position and totals. Without `until`: up to now.
  virtual task<result<account_changes>> changes(const org_id& org,
                                                std::optional<stream_positions> after,
                                                std::optional<stream_positions> until) = 0;
  // Whether events after `after` have been dropped; and whether entries were dropped, or are older
  // than `told_from`, for readers that report usage only from then on. A dropped entry exactly at
  // `after` cannot be distinguished from a gap and counts as one.
  virtual task<result<account_gap>> gap_behind(const org_id& org, stream_positions after,
                                               time_point told_from) = 0;

  // The store's time, as in ledger::now().
  virtual time_point now() const = 0;
};

}  // namespace tollgate::quota
