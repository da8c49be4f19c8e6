// Turns hourly usage counters into the rows of a report. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "proxy/account/usage_query.hpp"
#include "proxy/account/usage_units.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy::admin {

class usage_report {
 public:
  usage_report(usage_query query, usage_units units)
      : query_{std::move(query)}, units_{std::move(units)} {}

  // Counters may come in any order. However many rows they make, only one page is kept.
  void add(const quota::usage_counter& counter);

  // Agents and conversations of earlier hours were dropped.
  void callers_known_from(std::int64_t hour) { callers_from_ = hour; }
  // "2026-01-02T00:00:00Z" if the requested range lacks agents and conversations; otherwise empty.
  std::string callers_known_from() const;

  bool has_more() const { return rows_.size() > query_.limit; }
  std::string next_after() const;  // empty: there were no rows

  std::string to_json() const;
  std::string to_csv() const;

 private:
  struct totals {
    quota::credits charged;
    std::int64_t calls = 0;
    std::int64_t used = 0, billed_us = 0;
    std::optional<usage_unit> unit;
    bool mixed = false;  // the usage has several units

    void add(const quota::usage_counter& counter, std::optional<usage_unit> in);
    std::string used_text() const;  // empty if there is no single number
    std::string billed_text() const;
    std::string_view unit_text() const;
  };
  using row_map = std::map<usage_row_key, totals>;

  // Requests, queries and seconds do not add up; one route or action has only one of them.
  bool shows_used() const { return query_.grouped_by("route") || query_.grouped_by("action"); }
  totals* row_of(usage_row_key key);
  row_map::const_iterator page_end() const;
  void write_totals(json_writer& out, const totals& sum, bool with_used) const;

  usage_query query_;
  usage_units units_;
  std::int64_t callers_from_ = 0;
  usage_query::bucket bucket_{0, 0};  // of the last counter
  row_map rows_;                      // one page, and the row after it
  totals total_;                      // of all rows of all pages
};

}  // namespace tollgate::proxy::admin
