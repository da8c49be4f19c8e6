// The open cycle by day: cumulative use against the supply, where calls end, and the expected use
// at the cycle's end. Pure.
#pragma once

#include <string>
#include <vector>

#include "proxy/account/account_figures.hpp"
#include "proxy/account/projection_report.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy::admin {

class burn_down_report {
 public:
  // `account` must outlive the report.
  burn_down_report(const quota::account_snapshot& account, quota::time_point now);

  // The range of hours, counted from the Unix epoch, ends included, whose counters the report
  // needs.
  std::int64_t first_hour() const;
  std::int64_t last_hour() const { return projection_.last_hour(); }
  void add(const quota::usage_counter& counter);

  // {"cycle":{"start","end"},"supply","used","ends_at","days":[{"day","used","total"}],
  //  "expected":{"low","expected","high"}}; "expected" is null before anything was used, and
  //  everything is
  // null without a cycle.
  std::string to_json() const;

 private:
  std::int64_t cycle_hour() const;
  void write_days(json_writer& out) const;
  void write_expected(json_writer& out, quota::credits used) const;

  const quota::account_snapshot& account_;
  std::optional<cycle_figures> figures_;
  projection_report projection_;
  std::vector<quota::credits> days_;  // of the cycle, up to and including today
};

}  // namespace tollgate::proxy::admin
