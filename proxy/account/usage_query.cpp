#include "proxy/account/usage_query.hpp"

#include <algorithm>

#include "proxy/account/local_calendar.hpp"
#include "proxy/net/api/query_parameters.hpp"
#include "proxy/text/text.hpp"
#include "routes/suggest.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace chrono = std::chrono;

constexpr std::int64_t max_hours = 10 * 366 * 24;
constexpr std::int64_t last_hour_there_is = (9'999 - 1'969) * 366LL * 24;  // of the year 9999
constexpr std::size_t most_rows = 10'000, max_filter_values = 100, max_cursor = 8 * 1024;

template <class Range>
std::vector<std::string> names_of(const Range& range) {
  std::vector<std::string> names;
  for (const auto& one : range) names.emplace_back(one.name);
  return names;
}

std::vector<std::string> known_parameters() {
  auto known = names_of(dimensions);
  for (const auto* name :
       {"from", "to", "granularity", "group_by", "time_zone", "limit", "after"}) {
    known.emplace_back(name);
  }
  return known;
}

checked<granularity> parse_granularity(std::string_view text) {
  for (const auto by :
       {granularity::hour, granularity::day, granularity::month, granularity::total}) {
    if (text == to_string(by)) return by;
  }
  return invalid("granularity must be hour, day, month or total", "granularity");
}

checked<std::vector<dimension>> parse_group_by(std::string_view text) {
  std::vector<dimension> chosen;
  while (!text.empty()) {
    const auto name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    const auto named = [&](const dimension& one) { return one.name == name; };
    const auto known = std::find_if(dimensions.begin(), dimensions.end(), named);
    if (known == dimensions.end()) {
      return invalid("group_by takes action, model, agent, conversation, key and route, not " +
                         routes::shown(name) + routes::did_you_mean(name, names_of(dimensions)),
                     "group_by");
    }
    if (std::any_of(chosen.begin(), chosen.end(), named)) {
      return invalid("group_by names " + routes::shown(name) + " twice", "group_by");
    }
    chosen.push_back(*known);
  }
  return chosen;
}

checked<std::vector<usage_filter>> parse_filters(const query_parameters& parameters) {
  std::vector<usage_filter> filters;
  for (const auto& one : dimensions) {
    auto values = parameters.all(one.name);
    if (values.empty()) continue;
    if (values.size() > max_filter_values) {
      return invalid("a filter takes at most 100 values", std::string{one.name});
    }
    std::ranges::sort(values);
    filters.push_back({one, std::move(values)});
  }
  return filters;
}

// The first hour of the zone's day that begins at this moment; empty if none does. If midnight
// occurs twice, the first one counts.
std::optional<std::int64_t> day_that_begins_at(quota::time_point time, const time_zone& zone) {
  const auto local = time + zone.offset_at(chrono::floor<chrono::seconds>(time));
  const auto day = chrono::floor<chrono::days>(local);
  if (local != day) return {};
  const auto hour = first_hour_of(day, zone);
  const auto later = quota::time_point{chrono::hours{hour}} - time;
  if (later < quota::milliseconds{} || later >= chrono::hours{1}) return {};
  return hour;
}

// A date is in the zone; a time has its own offset. If a time is the moment at which a day of the
// zone begins, it means that date, even if no hour of UTC begins then: so ranges from day to day
// are contiguous and no hour is in two of them. Every other time is widened to whole hours.
std::optional<std::int64_t> parse_hour(std::string_view text, const time_zone& zone,
                                       bool round_up) {
  const auto time = parse_time(text);
  if (!time) return {};
  if (text.size() == 10) return first_hour_of(chrono::floor<chrono::days>(*time), zone);
  if (const auto hour = day_that_begins_at(*time, zone)) return hour;
  return quota::hour_of(round_up ? chrono::ceil<chrono::hours>(*time) : *time);
}

std::int64_t month_start(std::int64_t hour, const time_zone& zone) {
  const chrono::year_month_day date{local_day(hour, zone)};
  return first_hour_of(date.year() / date.month() / 1, zone);
}

// Everything except the range and the page.
std::optional<api_error> read_shape(const query_parameters& given, usage_query& into) {
  into.zone_name = given.find("time_zone").value_or("UTC");
  auto zone = time_zone::find(into.zone_name);
  if (!zone) {
    return invalid(
        "unknown time zone " + routes::shown(into.zone_name) + "; use a name like Europe/Berlin",
        "time_zone");
  }
  into.zone = *std::move(zone);
  const auto by = parse_granularity(given.find("granularity").value_or("day"));
  if (!by) return by.error();
  into.by = *by;
  auto group_by = parse_group_by(given.find("group_by").value_or(""));
  if (!group_by) return group_by.error();
  into.group_by = *std::move(group_by);
  auto filters = parse_filters(given);
  if (!filters) return filters.error();
  into.filters = *std::move(filters);
  return {};
}

std::optional<api_error> read_range(const query_parameters& given, quota::time_point now,
                                    usage_query& into) {
  const auto no_time = [](std::string name) {
    return invalid(name + " must be a date (2026-01-31) or a time (2026-01-31T10:00:00Z)", name);
  };
  const auto this_hour = quota::hour_of(now);
  into.first_hour = month_start(this_hour, into.zone);
  if (const auto from = given.find("from")) {
    const auto hour = parse_hour(*from, into.zone, false);
    if (!hour) return no_time("from");
    into.first_hour = *hour;
  }
  into.last_hour = std::max(this_hour, into.first_hour);
  if (const auto to = given.find("to")) {
    const auto hour = parse_hour(*to, into.zone, true);
    if (!hour) return no_time("to");
    into.last_hour = *hour - 1;
  }
  return {};
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
    case granularity::total:
      return "total";
  }
  return "day";
}

bool usage_query::grouped_by(std::string_view name) const {
  return std::any_of(group_by.begin(), group_by.end(),
                     [&](const dimension& one) { return one.name == name; });
}

bool usage_query::asks_about_callers() const {
  const auto is_caller = [](const dimension& one) {
    return one.name == "agent" || one.name == "conversation";
  };
  return std::any_of(group_by.begin(), group_by.end(), is_caller) ||
         std::any_of(filters.begin(), filters.end(),
                     [&](const usage_filter& filter) { return is_caller(filter.by); });
}

bool usage_query::admits(const quota::attribution& who) const {
  return std::all_of(filters.begin(), filters.end(), [&](const usage_filter& filter) {
    return std::binary_search(filter.any_of.begin(), filter.any_of.end(), who.*filter.by.member);
  });
}

checked<usage_query> usage_query::parse(std::string_view query, quota::time_point now) {
  const auto parameters = query_parameters::parse(query, known_parameters(), names_of(dimensions));
  if (!parameters) return parameters.error();
  const auto given = [&](std::string_view name) { return parameters->find(name); };
  usage_query parsed;
  if (auto error = read_shape(*parameters, parsed)) return *std::move(error);
  if (auto error = read_range(*parameters, now, parsed)) return *std::move(error);
  if (const auto limit = given("limit")) {
    const auto count = parse_count(*limit, most_rows);
    if (!count) return invalid("limit must be a number from 1 to 10000", "limit");
    parsed.limit = *count;
  }
  if (const auto cursor = given("after")) {
    if (!parsed.read_cursor(*cursor, given("from").has_value(), given("to").has_value())) {
      return invalid("after must be `next_after` of the page before, for the same question",
                     "after");
    }
  }
  if (parsed.last_hour < parsed.first_hour) return invalid("`to` must be later than `from`", "to");
  if (parsed.last_hour - parsed.first_hour >= max_hours) {
    return invalid("one report covers at most ten years", "from");
  }
  return parsed;
}

usage_query::bucket usage_query::bucket_of(std::int64_t hour) const {
  switch (by) {
    case granularity::hour:
      return {hour, hour + 1};
    case granularity::day: {
      const auto day = local_day(hour, zone);
      return {first_hour_of(day, zone), first_hour_of(day + chrono::days{1}, zone)};
    }
    case granularity::month: {
      const chrono::year_month_day date{local_day(hour, zone)};
      const auto month = date.year() / date.month();
      return {first_hour_of(month / 1, zone), first_hour_of((month + chrono::months{1}) / 1, zone)};
    }
    case granularity::total:
      break;
  }
  return {first_hour, last_hour + 1};
}

std::string usage_query::text_of(std::int64_t hour) const {
  return local_time_text(hour, zone);
}

std::string usage_query::fingerprint() const {
  auto text = std::string{to_string(by)} + '\n' + zone_name;
  for (const auto& one : group_by) text += "\n," + std::string{one.name};
  for (const auto& filter : filters) {
    text += "\n=" + std::string{filter.by.name};
    for (const auto& value : filter.any_of) text += '\t' + value;
  }
  std::uint32_t hash = 2166136261;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return std::to_string(hash);
}

// "FINGERPRINT FIRST LAST START" and the names, each after a tab, which no name contains. Encoded
// in hexadecimal, to be opaque.
std::string usage_query::cursor(const usage_row_key& last_row) const {
  auto text = fingerprint() + ' ' + std::to_string(first_hour) + ' ' + std::to_string(last_hour) +
              ' ' + std::to_string(last_row.start_hour);
  for (const auto& name : last_row.names) text += '\t' + name;
  return to_hex_text(text);
}

bool usage_query::read_cursor(std::string_view cursor, bool with_from, bool with_to) {
  const auto decoded = from_hex_text(cursor.substr(0, max_cursor));
  if (!decoded) return false;
  std::string_view rest = *decoded;
  const auto take = [&](char separator) {
    const auto part = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    return part;
  };
  auto numbers = take('\t');
  std::vector<std::string> names;
  for (std::size_t i = 0; i < group_by.size(); ++i) names.emplace_back(take('\t'));
  std::swap(rest, numbers);
  if (!numbers.empty() || take(' ') != fingerprint()) return false;
  std::int64_t hours[3];
  for (auto& hour : hours) {
    const auto number = parse_number(take(' '));
    if (!number || *number < 0 || *number > last_hour_there_is) return false;
    hour = *number;
  }
  if (with_from && hours[0] != first_hour) return false;
  if (with_to && hours[1] != last_hour) return false;
  first_hour = hours[0];
  last_hour = hours[1];
  after = usage_row_key{hours[2], std::move(names)};
  return true;
}

}  // namespace tollgate::proxy::admin
