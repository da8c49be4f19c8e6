// Proves what limits and alerts have counted of agents, conversations and keys from the ledger's
// entries.
//
// An entry says in which cycle its hold was placed, and no clock has a say in that. So what a limit
// in total, or of a cycle, has counted is exact for calls of cycles that began after it was set. Of
// the cycle in which it was set it is known that nobody can have been counted more than was used
// and held; and so it is of hours and days, whose beginning no entry tells.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quota/audit.hpp"
#include "quota/guards.hpp"

namespace tollgate::quota {

// In the memory of those who are counted.
class member_audit {
 public:
  explicit member_audit(const account_guards& guards);

  void add(const ledger_entry& entry);  // all up to the guards' snapshot, in their order
  std::vector<difference> finish();     // once

 private:
  struct bounds {
    credits least, most;  // what was used, and is held
    credits ever;         // and all that was ever held
  };
  // Limits, or alerts, that count together.
  struct group {
    std::string field;  // what the fields of its counters begin with
    std::string name;
    limit_scope scope = limit_scope::agent;
    std::string id;
    bool of_alerts = false;
    limit_window per = limit_window::cycle;
    time_point since;
    std::int64_t times = 1;  // how often it stands there: an earlier release counted it as often
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
