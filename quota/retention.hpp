// Which parts of an account the store still has; older parts are in an archive or were dropped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quota/clock.hpp"
#include "quota/ids.hpp"
#include "quota/task.hpp"

namespace tollgate::quota {

struct retained {
  // Ledger entries up to this id are only in the archive. "0-0": the store has all.
  std::string dropped_through = "0-0";
  // Usage of earlier hours has no agents and conversations. 0: all hours have them.
  std::int64_t first_hour = 0;
  // Earlier days (both count from the Unix epoch) have been aggregated.
  std::int64_t next_day = 0;
  // Usage before these days is kept by day only, and by month only.
  std::int64_t hours_from = 0, days_from = 0;

  bool operator==(const retained&) const = default;
};

// Aggregates old usage, without agents and conversations, further. A sum is stored at the first
// hour of its day or month of UTC, or at the hour in it in which a cycle begins, so that statements
// do not change.
enum class usage_grain : std::uint8_t { day, month };
struct coarsening {
  usage_grain by;
  std::int64_t first_day, end_day;   // the end is excluded
  std::vector<std::int64_t> cycles;  // the hours in which cycles begin, ascending
};

// Records what will be missing in the same step that drops it. A reader that asks what is retained
// after reading knows whether something was missing. Repeating is harmless.
class retention_store {
 public:
  virtual ~retention_store() = default;

  virtual task<result<retained>> what_is_retained(const org_id& org) = 0;
  // The store's own id, by which an archive recognizes it; empty if it has none yet.
  virtual task<result<std::string>> store_id() = 0;
  // Assigns this id, unless the store has one. Returns the store's id.
  virtual task<result<std::string>> name_store(std::string fresh) = 0;
  // Drops entries before `first`, at most some thousands; false if others are left. The last entry
  // of an account always stays. The caller must only drop entries that are archived.
  virtual task<result<bool>> drop_entries(const org_id& org, std::string first) = 0;
  virtual task<result<void>> remember_summed(const org_id& org, std::int64_t next_day) = 0;
  // Drops agents and conversations from the usage of a day that ended long ago; days are processed
  // in order. False: the day has not been aggregated.
  virtual task<result<bool>> drop_usage_detail(const org_id& org, std::int64_t day) = 0;
  // False, without a change: `known` is not what is retained.
  virtual task<result<bool>> coarsen_usage(const org_id& org, coarsening what,
                                           const retained& known) = 0;
};

}  // namespace tollgate::quota
