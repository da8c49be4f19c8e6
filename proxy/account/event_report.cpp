#include "proxy/account/event_report.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "proxy/net/outbound/signature.hpp"
#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"
#include "quota/hex.hpp"
#include "quota/ledger/entry_id.hpp"
#include "quota/statement.hpp"

namespace tollgate::proxy::admin {

namespace {

enum class fact_kind : std::uint8_t { count, credits, cents, price, cost, time, text };

struct fact {
  std::string_view name, member;
  fact_kind as;
};

// The public names and formats of the ledger's facts.
constexpr std::array facts{
    fact{"percent", "threshold_percent", fact_kind::count},
    fact{"cap_percent", "threshold_spend_cap_percent", fact_kind::count},
    fact{"credits", "credits", fact_kind::credits},
    fact{"used", "used_credits", fact_kind::credits},
    fact{"of", "of_credits", fact_kind::credits},
    fact{"available", "available_credits", fact_kind::credits},
    fact{"overdrawn", "overage_credits", fact_kind::credits},
    fact{"cap_cents", "spend_cap_usd", fact_kind::cents},
    fact{"top_up_cents", "top_ups_usd", fact_kind::cents},
    fact{"overage", "overage_credits", fact_kind::credits},
    fact{"cost", "overage_usd", fact_kind::cost},
    fact{"spent_cents", "spent_usd", fact_kind::cents},  // an earlier format: both together
    fact{"cents", "amount_usd", fact_kind::cents},
    fact{"price", "usd_per_credit", fact_kind::price},
    fact{"cycle", "cycle", fact_kind::count},
    fact{"start", "start", fact_kind::time},
    fact{"end", "end", fact_kind::time},
    fact{"status", "status", fact_kind::text},
    fact{"top_up", "top_up", fact_kind::text},
    fact{"plan", "plan", fact_kind::text},
    fact{"agent", "agent", fact_kind::text},
    fact{"conversation", "conversation", fact_kind::text},
    fact{"key", "key", fact_kind::text},
};

// These come last in the list: their values may contain blanks or be empty.
constexpr std::array<std::string_view, 5> last{"top_up", "plan", "agent", "conversation", "key"};

std::string_view take_word(std::string_view& rest) {
  const auto end = rest.find(' ');
  const auto word = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return word;
}

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "AMOUNT*PRICE,AMOUNT*PRICE", added up as in a statement.
std::int64_t cents_of(std::string_view lines) {
  std::vector<quota::billed_overage> billed;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find(','));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const auto star = std::min(line.find('*'), line.size());
    const auto price = line.substr(std::min(star + 1, line.size()));
    billed.push_back({quota::credits::from_micro(number_of(line)), number_of(price)});
  }
  return quota::cents_of(billed);
}

void write_fact(json_writer& out, const fact& known, std::string_view value) {
  out.key(known.member);
  const auto number = number_of(value);
  switch (known.as) {
    case fact_kind::count:
      out.number(number);
      break;
    case fact_kind::credits:
      out.number(quota::credits::from_micro(number));
      break;
    case fact_kind::cents:
      out.usd(number);
      break;
    case fact_kind::price:  // in millionths of a dollar, as credits are in millionths of a credit
      out.number(quota::credits::from_micro(number));
      break;
    case fact_kind::cost:
      out.usd(cents_of(value));
      break;
    case fact_kind::time:  // a cycle begins on a full second, here as in a balance
      out.string(to_rfc3339_seconds(quota::time_point{quota::milliseconds{number}}));
      break;
    case fact_kind::text:
      out.string_or_null(value);
      break;
  }
}

// "NAME VALUE NAME VALUE ..."
std::string data_of(std::string_view rest) {
  json_writer out;
  out.begin_object();
  std::optional<std::int64_t> amount, price;
  while (!rest.empty()) {
    const auto name = take_word(rest);
    const auto known = std::find_if(facts.begin(), facts.end(),
                                    [&](const fact& each) { return each.name == name; });
    if (known == facts.end()) break;
    const bool is_last = std::find(last.begin(), last.end(), name) != last.end();
    const auto value = is_last ? std::exchange(rest, {}) : take_word(rest);
    write_fact(out, *known, value);
    if (known->as == fact_kind::credits) amount = number_of(value);
    if (known->as == fact_kind::price) price = number_of(value);
  }
  // The cost of a bill, unrounded: a statement rounds the sum of its cycle's bills.
  if (amount && price) {
    out.key("amount_usd").raw(exact_usd_text(quota::credits::from_micro(*amount), *price));
  }
  out.end_object();
  return out.take();
}

std::string envelope(const quota::org_id& org, std::string_view id, std::string_view type,
                     quota::time_point at, std::string_view data) {
  json_writer out;
  out.begin_object().key("id").string(id).key("type").string(type);
  out.key("created_at").string(to_rfc3339(at)).key("org").string(org);
  out.key("data").raw(data).end_object();
  return out.take();
}

constexpr std::string_view name_prefix = "evt_";

// Replaces a position that is later than any in a store.
constexpr std::string_view never_reached = "253402300799999-0";

// The organization's suffix of event names. Ten digits: among a million organizations two may share
// a suffix, and collide only for events of the same millisecond.
std::string mark_of(const quota::org_id& org) {
  return std::string{"-"}.append(quota::to_hex(outbound::sha256(org)), 0, 10);
}

bool is_before(std::string_view a, std::string_view b) {
  return quota::parse_entry_id(a).value_or(quota::entry_id{}) <
         quota::parse_entry_id(b).value_or(quota::entry_id{});
}

}  // namespace

std::optional<event_cursor> event_cursor::parse(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == text.npos || text.size() > 100) return std::nullopt;
  const auto place = [](std::string_view id) -> std::optional<std::string> {
    if (!quota::parse_entry_id(id)) return std::nullopt;
    return parse_place(id).value_or(std::string{never_reached});
  };
  const auto event = place(text.substr(0, dot)), entry = place(text.substr(dot + 1));
  if (!event || !entry) return std::nullopt;
  event_cursor cursor;
  cursor.event = *event;
  cursor.entry = *entry;
  return cursor;
}

std::optional<event_cursor> event_cursor::behind_event(const quota::org_id& org,
                                                       std::string_view name) {
  const auto event = parse_event_name(org, name);
  if (!event || !name.starts_with(name_prefix)) return std::nullopt;
  const auto at = quota::parse_entry_id(*event)->ms;
  event_cursor cursor;
  cursor.event = *event;
  cursor.entry = quota::to_string({at > 0 ? at - 1 : 0, 0});
  return cursor;
}

bool is_behind(const quota::stream_positions& a, const quota::stream_positions& b) {
  return is_before(a.event, b.event) || is_before(a.entry, b.entry);
}

quota::stream_positions nearer(const quota::stream_positions& a, const quota::stream_positions& b) {
  return {is_before(a.event, b.event) ? a.event : b.event,
          is_before(a.entry, b.entry) ? a.entry : b.entry};
}

std::string event_name(const quota::org_id& org, std::string_view event) {
  return std::string{name_prefix}.append(event).append(mark_of(org));
}

std::optional<std::string> parse_event_name(const quota::org_id& org, std::string_view text) {
  if (text.starts_with(name_prefix)) text.remove_prefix(name_prefix.size());
  if (const auto mark = mark_of(org); text.ends_with(mark)) text.remove_suffix(mark.size());
  return parse_place(text);
}

std::string event_json(const quota::org_id& org, const quota::account_event& event) {
  return envelope(org, event_name(org, event.id), "account." + event.type, event.at,
                  data_of(event.facts));
}

void event_report::add(const quota::account_changes& changes) {
  for (const auto& event : changes.events) {
    at_.event = event.id;
    write("account." + event.type, event_json(org_, event));
  }
  read_ = changes.up_to;
  charged_ += changes.charged;
  calls_ += changes.calls;
  if (changes.calls > 0) last_call_ = changes.last_entry_at;
}

void event_report::add(const quota::account_row& account) {
  write_usage();
  json_writer data;
  data.begin_object().key("available").number(account.available());
  data.key("held").number(account.held).key("granted").number(account.granted);
  data.key("settled").number(account.settled).key("expired").number(account.expired);
  data.end_object();
  write("balance", envelope(org_, at_.text(), "balance", now_, data.take()));
}

void event_report::add(const quota::account_gap& gap) {
  json_writer data;
  data.begin_object().key("events").boolean(gap.events);
  data.key("usage").boolean(gap.usage).end_object();
  write("gap", envelope(org_, at_.text(), "gap", now_, data.take()));
}

void event_report::write_usage() {
  at_ = read_;
  if (calls_ == 0) return;
  json_writer data;
  data.begin_object().key("credits").number(charged_).key("calls").number(calls_).end_object();
  write("usage", envelope(org_, at_.text(), "usage", last_call_, data.take()));
  charged_ = {};
  calls_ = 0;
}

void event_report::write(std::string_view type, std::string_view data) {
  out_.append("id: ").append(at_.text()).append("\nevent: ").append(type);
  out_.append("\ndata: ").append(data).append("\n\n");
}

std::string event_report::take() {
  write_usage();
  return std::exchange(out_, {});
}

}  // namespace tollgate::proxy::admin
