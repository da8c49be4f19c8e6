// What of an account the store still has, where old parts of it stand in an archive or were
// dropped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quota/clock.hpp"
#include "quota/ids.hpp"
#include "quota/task.hpp"

namespace tollgate::quota {

struct retained {
  // Ledger entries up to this id are in the archive only. "0-0": all are here.
  std::string dropped_through = "0-0";
  // Usage of the hours before this one is here without agents and conversations. 0: all is here.
  std::int64_t first_hour = 0;
  // Days before this one (both count from the Unix epoch) have been summed up.
  std::int64_t next_day = 0;
  // Days before these are kept by the day only, and by the month only.
  std::int64_t hours_from = 0, days_from = 0;

  bool operator==(const retained&) const = default;
};

// Old usage, of which agents and conversations are dropped, is summed up further: a sum stands at
// the first hour of its day or month of UTC, or at the hour in that in which a cycle begins, so
// that statements stay what they were.
enum class usage_grain : std::uint8_t { day, month };
struct coarsening {
  usage_grain by;
  std::int64_t first_day, end_day;   // the end is not included
  std::vector<std::int64_t> cycles;  // the hours in which they begin, ascending
};

// Records what will be missing in the same step in which it is dropped. A reader that asks what is
// retained after reading knows whether something was missing. Repeating is harmless.
class retention_store {
 public:
  virtual ~retention_store() = default;

  virtual task<result<retained>> what_is_retained(const org_id& org) = 0;
  // The store's own id, by which an archive knows it again; empty: it has none yet.
  virtual task<result<std::string>> store_id() = 0;
  // Gives it this one, unless it has one. The answer is the one it has.
  virtual task<result<std::string>> name_store(std::string fresh) = 0;
  // Drops entries that stand before `first`, at most some thousands; false: others are left. The
  // last entry of an account always stays. Only what an archive has may be dropped.
  virtual task<result<bool>> drop_entries(const org_id& org, std::string first) = 0;
  virtual task<result<void>> remember_summed(const org_id& org, std::int64_t next_day) = 0;
  // Drops agents and conversations from the usage of a day that is long over; days go in their
  // order. False: the day has not been summed up.
  virtual task<result<bool>> drop_usage_detail(const org_id& org, std::int64_t day) = 0;
  // False: what is retained is not what the caller knows, so nothing was done.
  virtual task<result<bool>> coarsen_usage(const org_id& org, coarsening what,
                                           const retained& known) = 0;
};

}  // namespace tollgate::quota
