// Proves the counters of limits and alerts of agents, conversations and keys from the ledger's
// entries.
//
// An entry states the cycle in which its hold was placed, and no clock affects that. So the counter
// of a limit in total, or per cycle, is exact for calls of cycles that began after the limit was
// set. For the cycle in which it was set there is an upper bound: what was used and held. The same
// holds for hours and days: no entry records when they begin.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quota/audit.hpp"
#include "quota/guards.hpp"

namespace tollgate::quota {

// Its memory grows with the number of agents, conversations and keys that are counted.
class member_audit {
 public:
  explicit member_audit(const account_guards& guards);

  void add(const ledger_entry& entry);  // all entries up to the guards' snapshot, in order
  std::vector<difference> finish();     // call once

 private:
  struct bounds {
    credits least, most;  // bounds of what was used and is held
    credits ever;         // the sum of all holds ever placed
  };
  // Limits, or alerts, that share a counter.
  struct group {
    std::string field;  // the prefix of its counters' fields
    std::string name;
    limit_scope scope = limit_scope::agent;
    std::string id;
    bool of_alerts = false;
    limit_window per = limit_window::cycle;
    time_point since;
    std::int64_t times =
        1;  // how often the limit is listed: an earlier release counted it that often
    std::map<std::string, bounds, std::less<>> members;
  };
  void add_limits(const account_plan& plan);
  void add_alerts(const account_plan& plan);
  void count(group& group, const ledger_entry& entry);
  bool is_counted_for_certain(const group& group, std::int64_t cycle) const;
  bool may_be_counted(const group& group, std::int64_t cycle) const;
  void take_packed(group& group);
  void compare_sequence();
  void compare(group& group);
  void tell(std::string what, const std::string& recorded, const std::string& proven);

  const account_guards& guards_;
  std::map<std::int64_t, const cycle_record*> cycles_;
  std::vector<group> groups_;
  std::map<std::string, const member_counter*, std::less<>> counters_;
  std::map<std::string, credits, std::less<>> packed_;  // of one limit, by digest
  std::vector<difference> found_;
};

}  // namespace tollgate::quota
