#include "proxy/account/usage_report.hpp"

#include <iterator>

#include "proxy/text/csv.hpp"

namespace tollgate::proxy::admin {

void usage_report::totals::add(const quota::usage_counter& counter, std::optional<usage_unit> in) {
  if (counter.billed_us > 0) in = usage_unit::second;
  mixed = mixed || !in || (calls > 0 && unit != in);
  unit = in;
  charged += counter.charged;
  calls += counter.calls;
  used += counter.used;
  billed_us += counter.billed_us;
}

std::string usage_report::totals::used_text() const {
  return mixed ? "" : amount_text(used, *unit);
}

// The base of the price: seconds are rounded up to the rate's increment, per call.
std::string usage_report::totals::billed_text() const {
  return mixed ? "" : amount_text(unit == usage_unit::second ? billed_us : used, *unit);
}

std::string_view usage_report::totals::unit_text() const {
  return mixed ? "" : to_string(*unit);
}

void usage_report::add(const quota::usage_counter& counter) {
  if (!query_.admits(counter.who)) return;
  if (counter.hour < bucket_.start || counter.hour >= bucket_.end) {
    bucket_ = query_.bucket_of(counter.hour);
  }
  const auto unit = units_.of(counter.who.route, counter.who.action);
  total_.add(counter, unit);
  usage_row_key key{bucket_.start, {}};
  for (const auto& one : query_.group_by) key.names.push_back(counter.who.*one.member);
  if (auto* const row = row_of(std::move(key))) row->add(counter, unit);
}

std::string usage_report::callers_known_from() const {
  const bool missing = query_.asks_about_callers() && query_.first_hour < callers_from_;
  return missing ? query_.text_of(callers_from_) : std::string{};
}

// A row that was dropped stays out: the number of rows before it only grows.
usage_report::totals* usage_report::row_of(usage_row_key key) {
  if (query_.after && key <= *query_.after) return nullptr;
  if (rows_.size() > query_.limit) {
    const auto last = std::prev(rows_.end());
    if (key > last->first) return nullptr;
    if (key < last->first && !rows_.contains(key)) rows_.erase(last);
  }
  return &rows_[std::move(key)];
}

usage_report::row_map::const_iterator usage_report::page_end() const {
  return has_more() ? std::prev(rows_.end()) : rows_.end();
}

std::string usage_report::next_after() const {
  if (rows_.empty()) return query_.after ? query_.cursor(*query_.after) : "";
  return query_.cursor(std::prev(page_end())->first);
}

void usage_report::write_totals(json_writer& out, const totals& sum, bool with_used) const {
  out.key("credits").number(sum.charged).key("calls").number(sum.calls);
  if (!with_used) return;
  const auto used = sum.used_text();
  out.key("used").raw(used.empty() ? "null" : used);
  const auto billed = sum.billed_text();
  out.key("billed").raw(billed.empty() ? "null" : billed);
  out.key("unit").string_or_null(sum.unit_text());
}

std::string usage_report::to_json() const {
  json_writer out;
  out.begin_object();
  out.key("from").string(query_.text_of(query_.first_hour));
  out.key("to").string(query_.text_of(query_.last_hour + 1));
  out.key("time_zone").string(query_.zone_name);
  out.key("granularity").string(to_string(query_.by));
  out.key("group_by").begin_array();
  for (const auto& one : query_.group_by) out.string(one.name);
  out.end_array().key("callers_known_from").string_or_null(callers_known_from());
  out.key("total").begin_object();
  write_totals(out, total_, false);
  out.end_object().key("rows").begin_array();
  for (auto row = rows_.begin(); row != page_end(); ++row) {
    out.begin_object().key("start").string(query_.text_of(row->first.start_hour));
    for (std::size_t i = 0; i < query_.group_by.size(); ++i) {
      out.key(query_.group_by[i].name).string_or_null(row->first.names[i]);
    }
    write_totals(out, row->second, shows_used());
    out.end_object();
  }
  out.end_array().key("has_more").boolean(has_more());
  out.key("next_after").string_or_null(next_after()).end_object();
  return out.take();
}

std::string usage_report::to_csv() const {
  csv_writer out;
  out.text("start");
  for (const auto& one : query_.group_by) out.text(one.name);
  out.text("credits").text("calls");
  if (shows_used()) out.text("used").text("billed").text("unit");
  out.end_row();
  for (auto row = rows_.begin(); row != page_end(); ++row) {
    const auto& sum = row->second;
    out.text(query_.text_of(row->first.start_hour));
    for (const auto& name : row->first.names) out.text(name);
    out.number(sum.charged).number(sum.calls);
    if (shows_used()) out.text(sum.used_text()).text(sum.billed_text()).text(sum.unit_text());
    out.end_row();
  }
  return out.take();
}

}  // namespace tollgate::proxy::admin
