// Proves the books of an account from its ledger (`tollgate verify`): every total and every line of every
// cycle is recomputed from the entries, every entry's balance is that of the running sum, every hold
// resolves once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quota/ledger_store.hpp"

namespace tollgate::quota {

struct difference {
  std::string what;      // "held", "available after entry 1700000000000-0", ...
  std::string recorded;  // what the books say
  std::string proven;    // what the entries add up to
};

// Entries are fed in their order, so an account of any length is audited in the memory of its open
// holds. Of the differences found, the first `max_differences` are kept; one error makes many.
class audit {
 public:
  static constexpr std::size_t max_differences = 100;

  void add(const ledger_entry& entry);

  // `snapshot` is of the moment of the last entry added. Counters go on counting while they are read,
  // so what they add up to is between what was settled before and after; in an account at rest the two
  // are one number.
  struct counters {
    credits total, settled_before, settled_after;
  };
  void finish(const account_snapshot& snapshot, const counters& usage);

  std::size_t entries() const { return entries_; }
  const account_row& proven() const { return row_; }
  const std::vector<difference>& differences() const { return differences_; }

 private:
  void add_to_hold(const ledger_entry& entry);
  void resolve_hold(const ledger_entry& entry, credits given_back);
  void add_to_books(const ledger_entry& entry);
  void compare_books(const account_snapshot& snapshot);
  void compare(const std::string& what, credits recorded, credits proven);
  void report(std::string what, std::string recorded, std::string proven);

  // A cycle as its entries tell it. `line` by the grant's kind, and "settled", "rolled out", ...
  using books = std::map<std::string, credits, std::less<>>;

  account_row row_;
  credits overdrawn_;
  std::map<std::int64_t, books> cycles_;
  std::map<std::string, credits, std::less<>> holds_;
  std::string last_id_;
  std::size_t entries_ = 0;
  std::vector<difference> differences_;
};

struct verification {
  std::size_t entries = 0;
  account_row row;  // as recorded
  std::vector<difference> differences;
};

// Audits one account while it is in use.
task<result<verification>> verify(ledger_store& store, const org_id& org);

}  // namespace tollgate::quota
