// What the store keeps ready so that a call is admitted, or refused, in one look: the gate, the
// bucket of the request rate, and what limits and alerts have counted. It is read here only to be
// proven (`verify`).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "quota/account_history.hpp"

namespace tollgate::quota {

// The gate's numbers, in their order (quota/redis/README.md).
enum class gate_field : std::size_t {
  cycle,
  start,
  old_before,
  kept,
  room,
  overdraft,
  threshold,
  due,
  until,
  top_up_open,
  alert_at,
  told,
  member_alerts,
  count
};
using gate_numbers = std::array<std::int64_t, static_cast<std::size_t>(gate_field::count)>;

// What a limit or an alert has counted for one agent, conversation or key, under its field in the
// store.
struct member_counter {
  std::string field;  // "SCOPE PER\tLIMIT\tWHO", or of alerts "aSCOPE\tID\tWHO"
  std::int64_t window = 0;
  credits amount;
  time_point since;
  std::int64_t begun =
      0;  // of limits in a window, the account's sequence at which it began to count; 0: not noted
};
// Totals of callers who were idle: of one limit, how many there are in how many pages; and such a
// page.
struct packed_table {
  std::string limit;  // "SCOPE PER\tLIMIT\t"
  time_point since;
  std::int64_t pages = 0, count = 0;
};
struct packed_page {
  std::string limit_and_number;  // "SCOPE PER\tLIMIT\tNUMBER"
  time_point since;
  std::vector<std::pair<std::string, credits>>
      totals;  // by the first ten bytes of the SHA-1 of the counter's field
};

// All members were read in one atomic step.
struct account_guards {
  account_snapshot snapshot;
  grant_list active;  // as it is written, not brought up to date
  credits carried;    // of what was settled: the gate's numbers count from there
  std::vector<top_up_record> open_top_ups;
  std::optional<gate_numbers> gate;  // nothing: it was never written
  std::optional<std::array<std::int64_t, 4>>
      rate;                   // PER_MINUTE BURST LEVEL AT_MS; nothing: any rate
  std::int64_t sequence = 0;  // numbers the limits that were set, and their counters that began
  std::string member_alerts;
  std::vector<member_counter> counters;
  std::vector<packed_table> packed;
  std::vector<packed_page> pages;
  std::vector<std::string> unreadable;  // names of what does not look as the ledger writes it
};

class guard_store {
 public:
  virtual ~guard_store() = default;
  virtual task<result<account_guards>> guards(const org_id& org) = 0;
};

}  // namespace tollgate::quota
