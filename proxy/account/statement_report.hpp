// The statement of one cycle: opening balance, changes, closing balance, and the money due. Pure.
//
//   opening + allocation + rollover in + purchases + top-ups + promotions + corrections
//     + overage billed - usage - rollover out - forfeited = closing
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/account/usage_units.hpp"
#include "quota/account_history.hpp"

namespace tollgate::proxy::admin {

// The statement whose cycle starts in that month (UTC), the latest of several; null if there is
// none. `first_day` is the month's first moment.
const quota::statement* find_statement(const std::vector<quota::statement>& all,
                                       quota::time_point first_day);

// Closed, and nothing can be booked in it any more.
bool is_final(const quota::statement& statement, const std::vector<quota::open_hold>& holds);

// All statements of an organization without their usage lines.
std::string statements_json(const quota::org_id& org, const std::vector<quota::statement>& all,
                            const std::vector<quota::open_hold>& holds);
std::string statements_csv(const std::vector<quota::statement>& all,
                           const std::vector<quota::open_hold>& holds);

class statement_report {
 public:
  // The maximum number of usage lines: callers choose the names of models.
  static constexpr std::size_t max_lines = 1000;

  statement_report(quota::org_id org, quota::statement statement, bool final);

  // The range of hours, counted from the Unix epoch, ends included, whose counters the report
  // needs.
  std::int64_t first_hour() const;
  std::int64_t last_hour(quota::time_point now) const;
  void add(const quota::usage_counter& counter);

  std::string to_json() const;
  // Each column adds up: signed credits to the closing balance, dollars to the amount paid. Values
  // that are not part of a sum are in the column `balance`: the closing balance, and the credits
  // that would be billed now.
  std::string to_csv() const;
  std::string to_text() const;  // a table for people

 private:
  struct usage_key {
    std::string action, model;
    auto operator<=>(const usage_key&) const = default;
  };
  struct usage_totals {
    quota::credits charged;
    std::int64_t calls = 0, used = 0, billed_us = 0;
    std::optional<usage_unit> unit;
    bool mixed = false;  // the usage has several units

    measured in_its_unit() const;
  };

  // The difference between the lines and the settled total: models beyond `max_lines`, use before
  // the first cycle, and calls that ended while the report was made.
  quota::credits other_usage() const;
  std::string money_text() const;

  quota::org_id org_;
  quota::statement statement_;
  bool final_;
  std::map<usage_key, usage_totals> usage_;
};

}  // namespace tollgate::proxy::admin
