// The values that the store prepares so that one read admits or refuses a call: the gate, the
// bucket of the request rate, and the counters of limits and alerts. C++ reads them only to prove
// them (`verify`).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "quota/account_history.hpp"

namespace tollgate::quota {

// The gate's numbers, in their order (quota/STORAGE.md).
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

// What a limit or an alert has counted for one agent, conversation or key, with its field in the
// store.
struct member_counter {
  std::string field;  // "SCOPE PER\tLIMIT\tWHO"; for alerts "aSCOPE\tID\tWHO"
  std::int64_t window = 0;
  credits amount;
  time_point since;
  std::int64_t begun = 0;  // for limits with a window, the account's sequence when it began to
                           // count; 0: not recorded
};
// Totals of idle callers. Of one limit: the number of totals and pages; and one such page.
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
  grant_list active;  // as stored, not updated
  credits
      carried;  // lifetime settled amount that was carried: the gate's numbers do not include it
  std::vector<top_up_record> open_top_ups;
  std::optional<gate_numbers> gate;                 // empty: it was never written
  std::optional<std::array<std::int64_t, 4>> rate;  // PER_MINUTE BURST LEVEL AT_MS; empty: any rate
  std::int64_t sequence = 0;  // numbers the limits that were set, and the starts of their counters
  std::string member_alerts;
  std::vector<member_counter> counters;
  std::vector<packed_table> packed;
  std::vector<packed_page> pages;
  std::vector<std::string> unreadable;  // fields that the ledger could not have written
};

class guard_store {
 public:
  virtual ~guard_store() = default;
  virtual task<result<account_guards>> guards(const org_id& org) = 0;
};

}  // namespace tollgate::quota
