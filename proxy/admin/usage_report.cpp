#include "proxy/admin/usage_report.hpp"

#include <algorithm>
#include <array>

#include "proxy/admin/csv.hpp"
#include "proxy/admin/json_writer.hpp"
#include "proxy/admin/text.hpp"
#include "routes/suggest.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace chrono = std::chrono;
using quota::attribution;
using sys_hours = chrono::sys_time<chrono::hours>;

constexpr std::int64_t max_hours = 366 * 24;

constexpr std::array<dimension, 6> dimensions{{{"action", &attribution::action},
                                               {"model", &attribution::model},
                                               {"agent", &attribution::agent},
                                               {"conversation", &attribution::conversation},
                                               {"key", &attribution::key_id},
                                               {"route", &attribution::route}}};

std::int64_t hours_of(sys_hours time) {
  return time.time_since_epoch().count();
}
quota::time_point time_of(std::int64_t hour) {
  return sys_hours{chrono::hours{hour}};
}

sys_hours month_start(sys_hours time) {
  const chrono::year_month_day date{chrono::floor<chrono::days>(time)};
  return chrono::sys_days{date.year() / date.month() / 1};
}

std::int64_t bucket_start(std::int64_t hour, granularity by) {
  const sys_hours time{chrono::hours{hour}};
  switch (by) {
    case granularity::hour:
      break;
    case granularity::day:
      return hours_of(chrono::floor<chrono::days>(time));
    case granularity::month:
      return hours_of(month_start(time));
  }
  return hour;
}

checked<granularity> parse_granularity(std::string_view text) {
  for (const auto by : {granularity::hour, granularity::day, granularity::month}) {
    if (text == to_string(by)) return by;
  }
  return invalid("granularity is hour, day or month", "granularity");
}

checked<std::vector<dimension>> parse_group_by(std::string_view text) {
  std::vector<dimension> chosen;
  while (!text.empty()) {
    const auto name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    const auto named = [&](const dimension& one) { return one.name == name; };
    const auto known = std::find_if(dimensions.begin(), dimensions.end(), named);
    if (known == dimensions.end()) {
      std::vector<std::string> names;
      for (const auto& one : dimensions) names.emplace_back(one.name);
      return invalid("group_by takes action, model, agent, conversation, key and route, not " +
                         routes::shown(name) + routes::did_you_mean(name, names),
                     "group_by");
    }
    if (std::any_of(chosen.begin(), chosen.end(), named)) {
      return invalid("group_by names " + routes::shown(name) + " twice", "group_by");
    }
    chosen.push_back(*known);
  }
  return chosen;
}

checked<quota::time_point> parse_moment(const query_parameters& parameters, std::string_view name,
                                        quota::time_point otherwise) {
  const auto text = parameters.find(name);
  if (!text) return otherwise;
  const auto time = parse_time(*text);
  if (time) return *time;
  return invalid(std::string{name} + " is a date (2026-01-31) or a time (2026-01-31T10:00:00Z)",
                 std::string{name});
}

void write_totals(json_writer& out, const usage_report::totals& totals, bool with_used) {
  out.key("credits").number(totals.charged).key("calls").number(totals.calls);
  if (with_used) out.key("used").number(totals.used);
}

}  // namespace

std::string_view to_string(granularity granularity) {
  switch (granularity) {
    case granularity::hour:
      return "hour";
    case granularity::day:
      return "day";
    case granularity::month:
      return "month";
  }
  return "day";
}

bool usage_query::grouped_by(std::string_view name) const {
  return std::any_of(group_by.begin(), group_by.end(),
                     [&](const dimension& one) { return one.name == name; });
}

checked<usage_query> usage_query::parse(std::string_view query, quota::time_point now) {
  const auto parameters = query_parameters::parse(query, {"from", "to", "granularity", "group_by"});
  if (!parameters) return parameters.error();
  const auto from =
      parse_moment(*parameters, "from", month_start(chrono::floor<chrono::hours>(now)));
  if (!from) return from.error();
  const auto to = parse_moment(*parameters, "to", std::max(now, *from + chrono::hours{1}));
  if (!to) return to.error();
  const auto by = parse_granularity(parameters->find("granularity").value_or("day"));
  if (!by) return by.error();
  auto group_by = parse_group_by(parameters->find("group_by").value_or(""));
  if (!group_by) return group_by.error();

  usage_query parsed{.first_hour = hours_of(chrono::floor<chrono::hours>(*from)),
                     .last_hour = hours_of(chrono::ceil<chrono::hours>(*to)) - 1,
                     .by = *by,
                     .group_by = std::move(*group_by)};
  if (*to <= *from) return invalid("`to` must be later than `from`", "to");
  if (parsed.last_hour - parsed.first_hour >= max_hours) {
    return invalid("one report covers at most 366 days; ask year by year", "from");
  }
  return parsed;
}

bool usage_report::add(const quota::usage_counter& counter) {
  row_key key{bucket_start(counter.hour, query_.by), {}};
  for (const auto& one : query_.group_by) key.names.push_back(counter.who.*one.member);
  if (rows_.size() >= max_rows && !rows_.contains(key)) return false;
  for (auto* const sum : {&rows_[std::move(key)], &total_}) {
    sum->charged += counter.charged;
    sum->calls += counter.calls;
    sum->used += counter.used;
  }
  return true;
}

std::string usage_report::to_json() const {
  json_writer out;
  out.begin_object();
  out.key("from").string(to_rfc3339_seconds(time_of(query_.first_hour)));
  out.key("to").string(to_rfc3339_seconds(time_of(query_.last_hour + 1)));
  out.key("granularity").string(to_string(query_.by));
  out.key("group_by").begin_array();
  for (const auto& one : query_.group_by) out.string(one.name);
  out.end_array();
  out.key("total").begin_object();
  write_totals(out, total_, false);
  out.end_object();
  out.key("rows").begin_array();
  for (const auto& [key, totals] : rows_) {
    out.begin_object().key("start").string(to_rfc3339_seconds(time_of(key.start_hour)));
    for (std::size_t i = 0; i < key.names.size(); ++i) {
      out.key(query_.group_by[i].name).string_or_null(key.names[i]);
    }
    write_totals(out, totals, shows_used());
    out.end_object();
  }
  out.end_array().end_object();
  return out.take();
}

std::string usage_report::to_csv() const {
  csv_writer out;
  out.text("start");
  for (const auto& one : query_.group_by) out.text(one.name);
  out.text("credits").text("calls");
  if (shows_used()) out.text("used");
  out.end_row();
  for (const auto& [key, totals] : rows_) {
    out.text(to_rfc3339_seconds(time_of(key.start_hour)));
    for (const auto& name : key.names) out.text(name);
    out.number(totals.charged).number(totals.calls);
    if (shows_used()) out.number(totals.used);
    out.end_row();
  }
  return out.take();
}

}  // namespace tollgate::proxy::admin
