// Proves the books of an account from its ledger. It recomputes from the entries every total, every
// line of every cycle, every grant, top-up, hold and usage counter; it checks that every entry's
// balance is the running sum and that every hold resolves once. Pure; `verify` supplies the data.
//
// No clock decides anything: entries state their cycle, and counters are compared by what they
// count, not by their hour. So a clock that jumped does not change the result.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quota/account_history.hpp"

namespace tollgate::quota {

struct difference {
  std::string what;  // the row and field: "held", "top-up tu_1: credits", "entry 1700000000000-0:
                     // available"
  std::string recorded;  // the value in the books
  std::string proven;    // the value computed from the entries
};

// The rows beside an account's ledger, read after the snapshot.
struct account_rows {
  std::vector<top_up_record> top_ups;
  std::vector<grant_record> grants;
  std::vector<account_event> events;  // those that are still stored
  bool top_ups_at_rest = true;        // none was requested or resolved since the snapshot
};

// Entries are supplied in order. So auditing an account of any length takes memory for its open
// holds, its grants and the combinations of route, model and key that it has used. Only the first
// `max_differences` differences are kept: one error causes many.
class audit {
 public:
  static constexpr std::size_t max_differences = 100;

  void add(const ledger_entry& entry);  // up to the snapshot
  void add_later(
      const ledger_entry& entry);  // after the snapshot: rows that were read since may include it
  void count(const usage_counter& counter);
  void finish(const account_snapshot& snapshot, const account_rows& rows);

  std::size_t entries() const { return entries_; }
  const account_row& proven() const { return row_; }
  const std::vector<difference>& differences() const { return differences_; }

 private:
  struct hold {
    credits amount;
    std::string request_id;
    attribution who;
    std::int64_t cycle = 0;
  };
  struct given {
    credits amount;
    std::string kind, note;
    bool later = false;
    int entries = 1;  // allocations at the same instant share an id
  };
  struct use {
    credits charged;
    std::int64_t calls = 0, used = 0, billed_us = 0;
  };
  // A cycle, computed from its entries. `line` is the grant's kind, "settled", "rolled over",
  // "billed at PRICE", ...
  using books = std::map<std::string, credits, std::less<>>;

  // The entries (audit.cpp).
  void add_to_hold(const ledger_entry& entry);
  void resolve_hold(const ledger_entry& entry, credits given_back);
  void add_to_books(const ledger_entry& entry);
  void add_grant(const ledger_entry& entry, bool later);

  // The rows (audit_rows.cpp).
  void compare_totals(const account_snapshot& snapshot);
  void compare_books(const account_snapshot& snapshot);
  void compare_order_of_cycles(const account_snapshot& snapshot);
  void compare_plan(const account_plan& plan, const cycle_record& books);
  void compare_holds(const account_snapshot& snapshot);
  credits amount_rolled(const active_grant& grant) const;
  void compare_active(const account_snapshot& snapshot, const account_rows& rows);
  void compare_kept(const account_snapshot& snapshot);
  bool is_taken_back(const std::string& name, credits amount) const;
  void compare_grants(const account_rows& rows);
  void compare_top_ups(const account_snapshot& snapshot, const account_rows& rows);
  void compare_taken_back(const top_up_record& record);
  void compare_cents_back(const top_up_record& record, const std::string& prefix,
                          const std::string& what, std::int64_t recorded);
  void compare_top_up_state(const account_snapshot& snapshot, const account_rows& rows);
  void compare_usage();

  void compare(const std::string& what, credits recorded, credits proven);
  void compare(const std::string& what, const std::string& recorded, const std::string& proven);
  void compare_number(const std::string& what, std::int64_t recorded, std::int64_t proven);
  void report(std::string what, std::string recorded, std::string proven);

  account_row row_;
  credits overdrawn_;
  std::map<std::int64_t, books> cycles_;
  std::map<std::string, hold, std::less<>> holds_;
  std::map<std::string, given, std::less<>> given_;  // by the kind of row and the id
  std::map<std::string, std::vector<credits>, std::less<>> rolled_;  // by the grant that it became
  std::map<std::string, use> settled_, later_, counted_;  // by route, action, model and key
  std::string last_id_;
  std::size_t entries_ = 0;
  std::vector<difference> differences_;
};

}  // namespace tollgate::quota
