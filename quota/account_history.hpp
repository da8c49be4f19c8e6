// Reports on an account: balances, ledger entries, usage, statements' cycles, events. Same
// threading rules as quota/ledger.hpp.
#pragma once

#include <cstdint>
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
  std::optional<use> answered = {};  // its answer has begun: what it is settled at when it expires
  std::optional<std::int64_t> counted = {};  // the account's sequence at which limits counted it
};

// A consistent picture of one account: all members were read in one atomic step, together with the
// id of the last ledger entry at that moment.
struct account_snapshot {
  account_row row;
  account_grants grants;  // brought up to date: grants.mark == row.settled
  credits overdrawn;      // used beyond all grants, and not billed yet
  std::optional<account_plan> plan;
  top_up_state top_up;
  std::vector<std::string> open_top_ups;  // requested, pending or timed out
  std::vector<cycle_record> cycles;       // oldest first
  std::vector<open_hold> holds;
  std::string last_entry_id;  // "0-0" when there is none
  // The first and the last hour in which there are usage counters; nothing: it was not written
  // down.
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

// A place in what happens to an account: behind this event, and behind this ledger entry.
struct stream_positions {
  std::string event = "0-0", entry = "0-0";

  bool operator==(const stream_positions&) const = default;
};

// What happened to an account between two places, read in one step with its totals.
struct account_changes {
  stream_positions up_to;             // how far this goes
  bool more = false;                  // that is not as far as was asked for: read on from there
  bool moved = false;                 // there were ledger entries; without any `row` says nothing
  std::vector<account_event> events;  // in their order
  credits charged;                    // by the calls that were settled, all together
  std::int64_t calls = 0;
  time_point last_entry_at;
  account_row row;  // when it was read
};

// What of the changes behind a place can no longer be told.
struct account_gap {
  bool events = false, usage = false;

  bool operator==(const account_gap&) const = default;
};

// What an account says of itself. For reports: no charge depends on it. An archive may stand behind
// it (proxy/archive/archived_history.hpp).
class account_history {
 public:
  virtual ~account_history() = default;

  virtual task<result<account_snapshot>> snapshot(const org_id& org) = 0;
  // Entries after the id `after` ("0-0": from the first), oldest first, at most `limit`.
  virtual task<result<std::vector<ledger_entry>>> entries(const org_id& org, std::string after,
                                                          std::size_t limit) = 0;
  virtual task<result<std::vector<grant_record>>> grants(const org_id& org) = 0;
  // Counters of the hours [first, last], both included.
  virtual task<result<std::vector<usage_counter>>> usage(const org_id& org, std::int64_t first_hour,
                                                         std::int64_t last_hour) = 0;
  // The same without agents and conversations, of which there are any number: these are summed up,
  // so that years of it are cheap to read.
  virtual task<result<std::vector<usage_counter>>> usage_summary(const org_id& org,
                                                                 std::int64_t first_hour,
                                                                 std::int64_t last_hour) = 0;
  // Another text than before when usage of the hours [first, last] that had been there was summed
  // up further: agents are dropped, or it stands in other hours. What was read of them in several
  // questions meanwhile may lack it, or have it twice.
  virtual task<result<std::string>> usage_generation(const org_id& org, std::int64_t first_hour,
                                                     std::int64_t last_hour) = 0;
  // `usage` of hours before this one is without agents and conversations: they were dropped. 0: of
  // none.
  virtual task<result<std::int64_t>> callers_known_from(const org_id& org) = 0;
  // The parts of usage, for an archive that keeps them apart: the counters of hours, as far as
  // their details are retained; the same from the summaries of days; and what was booked late in
  // the last hours of cycles that had closed.
  virtual task<result<std::vector<usage_counter>>> hourly_usage(const org_id& org,
                                                                std::int64_t first_hour,
                                                                std::int64_t last_hour) = 0;
  virtual task<result<std::vector<usage_counter>>> summed_usage(const org_id& org,
                                                                std::int64_t first_hour,
                                                                std::int64_t last_hour) = 0;
  virtual task<result<std::vector<usage_counter>>> late_usage(const org_id& org,
                                                              std::int64_t first_hour,
                                                              std::int64_t last_hour) = 0;
  // The books of every cycle so far, oldest first.
  virtual task<result<std::vector<cycle_record>>> cycles(const org_id& org) = 0;
  // All top-ups, oldest first.
  virtual task<result<std::vector<top_up_record>>> top_ups(const org_id& org) = 0;
  // What has happened after the event `after` ("0-0": all that is remembered), oldest first.
  virtual task<result<std::vector<account_event>>> events(const org_id& org, std::string after,
                                                          std::size_t limit) = 0;
  // Likewise, with what the ledger's entries charged: cheap enough to ask many times a second.
  // Events and entries go to the same moment where only a part is answered. Without `after`: where
  // the account stands, and its totals; without `until`: up to now.
  virtual task<result<account_changes>> changes(const org_id& org,
                                                std::optional<stream_positions> after,
                                                std::optional<stream_positions> until) = 0;
  // Whether events behind `after` have been dropped; and entries that were dropped, or that stand
  // before `told_from`, for readers that report usage only from then on. If the last dropped entry
  // is at `after` itself, this cannot be told from a gap, and counts as one.
  virtual task<result<account_gap>> gap_behind(const org_id& org, stream_positions after,
                                               time_point told_from) = 0;

  // The store's own time, as ledger::now() says it.
  virtual time_point now() const = 0;
};

}  // namespace tollgate::quota
