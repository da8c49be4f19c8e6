#include "quota/redis/rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <hiredis/hiredis.h>

#include "quota/ledger/entry_id.hpp"

namespace tollgate::quota::redis {

namespace {

std::optional<credits> parse_amount(std::string_view text) {
  const auto micro = parse_integer(text);
  if (!micro) return std::nullopt;
  return credits::from_micro(*micro);
}

// An absent total is zero: the account has not been written yet.
bool read_total(const redisReply& flat, std::string_view field, credits& total) {
  const auto text = field_of(flat, field);
  if (text.empty()) return true;
  const auto amount = parse_amount(text);
  if (amount) total = *amount;
  return amount.has_value();
}

attribution split_attribution(std::string_view who) {
  attribution parts;
  for (auto* member : {&parts.route, &parts.action, &parts.model, &parts.agent, &parts.conversation,
                       &parts.key_id}) {
    *member = take_until(who, '\t');
  }
  return parts;
}

std::optional<entry_type> parse_type(std::string_view text) {
  for (const auto type : {entry_type::reserve, entry_type::extend, entry_type::settle,
                          entry_type::void_hold, entry_type::expire, entry_type::grant,
                          entry_type::forfeit, entry_type::roll_over, entry_type::bill}) {
    if (to_string(type) == text) return type;
  }
  return std::nullopt;
}

void read_origin(std::string_view by, ledger_entry& entry) {
  const bool of_grant = entry.type == entry_type::grant || entry.type == entry_type::forfeit ||
                        entry.type == entry_type::roll_over || entry.type == entry_type::bill;
  if (of_grant) {
    entry.kind = take_until(by, '\t');
    entry.note = by;
  } else {
    entry.request_id = take_until(by, '\t');
    entry.who = split_attribution(by);
  }
}

// "AMOUNT RELEASED OVERAGE USED AVAILABLE CYCLE SUBJECT\tBY"
std::optional<ledger_entry> parse_entry(std::string_view type, std::string_view text) {
  const auto known = parse_type(type);
  const auto amount = parse_amount(take_until(text, ' '));
  const auto released = parse_amount(take_until(text, ' '));
  const auto overage = parse_amount(take_until(text, ' '));
  auto used_text = take_until(text, ' ');  // "USED", or of audio "USED/BILLED_US"
  const auto used = parse_integer(take_until(used_text, '/'));
  const auto billed_us = parse_integer(used_text.empty() ? "0" : used_text);
  const auto available = parse_amount(take_until(text, ' '));
  const auto cycle = parse_integer(take_until(text, ' '));
  if (!known || !amount || !released || !overage || !used || !billed_us || !available || !cycle) {
    return std::nullopt;
  }
  ledger_entry entry;
  entry.type = *known;
  entry.amount = *amount;
  entry.released = *released;
  entry.overage = *overage;
  entry.used = *used;
  entry.billed_us = *billed_us;
  entry.available = *available;
  entry.cycle = *cycle;
  entry.subject = take_until(text, '\t');
  read_origin(text, entry);
  return entry;
}

}  // namespace

std::string_view text_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_STRING && reply.type != REDIS_REPLY_STATUS &&
      reply.type != REDIS_REPLY_ERROR) {
    return {};
  }
  return {reply.str, static_cast<std::size_t>(reply.len)};
}

std::vector<const redisReply*> elements_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY) return {};
  return {reply.element, reply.element + reply.elements};
}

std::string_view field_of(const redisReply& flat, std::string_view field) {
  if (flat.type != REDIS_REPLY_ARRAY) return {};
  for (std::size_t i = 0; i + 1 < flat.elements; i += 2) {
    if (text_of(*flat.element[i]) == field) return text_of(*flat.element[i + 1]);
  }
  return {};
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<time_point> parse_time(const redisReply& reply) {
  const auto parts = elements_of(reply);
  if (parts.size() != 2) return std::nullopt;
  const auto seconds = parse_integer(text_of(*parts[0])), micro = parse_integer(text_of(*parts[1]));
  if (!seconds || !micro) return std::nullopt;
  return time_point{milliseconds{*seconds * 1000 + *micro / 1000}};
}

std::string_view take_until(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

// "SETTLED EXPIRED"
std::optional<carried_totals> parse_carried(std::string_view packed) {
  if (packed.empty()) return carried_totals{};
  const auto settled = parse_amount(take_until(packed, ' '));
  const auto expired = parse_amount(packed);
  if (!settled || !expired) return std::nullopt;
  return carried_totals{*settled, *expired};
}

std::optional<account_row> parse_row(const redisReply& flat) {
  account_row row;
  if (!read_total(flat, "granted", row.granted) || !read_total(flat, "settled", row.settled) ||
      !read_total(flat, "held", row.held) || !read_total(flat, "expired", row.expired)) {
    return std::nullopt;
  }
  const auto carried = parse_carried(field_of(flat, "carried"));
  if (!carried) return std::nullopt;
  carried->add_to(row);
  row.suspended = field_of(flat, "suspended") == "1";
  return row;
}

std::optional<std::vector<ledger_entry>> parse_entries(const redisReply& element) {
  const auto parts = elements_of(element);
  if (parts.size() != 2) return std::nullopt;
  const auto id = parse_entry_id(text_of(*parts[0]));
  const auto texts = elements_of(*parts[1]);
  const auto count = texts.size() / 2;
  if (!id || texts.size() % 2 != 0 || count == 0 || count > max_entries_together) {
    return std::nullopt;
  }
  std::vector<ledger_entry> entries;
  for (std::size_t i = 0; i < count; ++i) {
    auto entry = parse_entry(text_of(*texts[2 * i]), text_of(*texts[2 * i + 1]));
    if (!entry) return std::nullopt;
    entry->id = to_string(entry_id{id->ms, id->sequence * max_entries_together + i});
    entry->at = time_point{milliseconds{static_cast<std::int64_t>(id->ms)}};
    entries.push_back(*std::move(entry));
  }
  return entries;
}

std::optional<std::string> element_of(std::string_view entry) {
  const auto id = parse_entry_id(entry);
  if (!id) return std::nullopt;
  return to_string(quota::entry_id{id->ms, id->sequence / max_entries_together});
}

// "AMOUNT:USED" or "AMOUNT:USED/BILLED_US"
std::optional<use> parse_use(std::string_view text) {
  const auto amount = parse_amount(take_until(text, ':'));
  const auto used = parse_integer(take_until(text, '/'));
  const auto billed_us = parse_integer(text.empty() ? "0" : text);
  if (!amount || !used || !billed_us) return std::nullopt;
  return use{*amount, *used, *billed_us};
}

// "AMOUNT EXPIRES_MS HOUR PLACED_MS REQUEST\tROUTE\t...\tKEY"; ":AMOUNT:USED" behind HOUR: its
// answer has begun;
// "/SEQUENCE" behind PLACED_MS: limits have counted it.
std::optional<open_hold> parse_hold(std::string_view id, std::string_view packed) {
  const auto known = hold_id::parse(id);
  const auto amount = parse_amount(take_until(packed, ' '));
  const auto expires = parse_integer(take_until(packed, ' '));
  auto answered = take_until(packed, ' ');
  const auto hour = parse_integer(take_until(answered, ':'));
  auto counted = take_until(packed, ' ');
  const auto placed = parse_integer(take_until(counted, '/'));
  if (!known || !amount || !expires || !hour || !placed) return std::nullopt;
  open_hold hold;
  if (!counted.empty()) {
    hold.counted = parse_integer(counted);
    if (!hold.counted) return std::nullopt;
  }
  if (!answered.empty()) {
    hold.answered = parse_use(answered);
    if (!hold.answered) return std::nullopt;
  }
  hold.id = *known;
  hold.amount = *amount;
  hold.expires_at = time_point{milliseconds{*expires}};
  hold.placed_at = time_point{milliseconds{*placed}};
  hold.request_id = take_until(packed, '\t');
  hold.who = split_attribution(packed);
  return hold;
}

// "AMOUNT AT_MS EXPIRES_MS PRIORITY KIND\tNOTE"
std::optional<grant_record> parse_grant(std::string_view id, std::string_view packed) {
  const auto amount = parse_amount(take_until(packed, ' '));
  const auto at = parse_integer(take_until(packed, ' '));
  const auto expires = parse_integer(take_until(packed, ' '));
  const auto priority = parse_integer(take_until(packed, ' '));
  if (!amount || !at || !expires || !priority) return std::nullopt;
  const auto kind = take_until(packed, '\t');
  return grant_record{std::string{id},
                      std::string{kind},
                      std::string{packed},
                      *amount,
                      time_point{milliseconds{*at}},
                      time_point{milliseconds{*expires}},
                      static_cast<int>(*priority)};
}

// "CREDITS CALLS USED", and of audio " BILLED_US" behind it
std::optional<usage_counter> parse_counter(std::int64_t hour, std::string_view who,
                                           std::string_view packed) {
  const auto charged = parse_amount(take_until(packed, ' '));
  const auto calls = parse_integer(take_until(packed, ' '));
  const auto used = parse_integer(take_until(packed, ' '));
  const auto billed_us = parse_integer(packed.empty() ? "0" : packed);
  if (!charged || !calls || !used || !billed_us) return std::nullopt;
  return usage_counter{hour, split_attribution(who), *charged, *calls, *used, *billed_us};
}

std::optional<usage_counter> parse_late_counter(std::string_view hour_and_who,
                                                std::string_view packed) {
  const auto hour = parse_integer(take_until(hour_and_who, '\t'));
  if (!hour) return std::nullopt;
  return parse_counter(*hour, hour_and_who, packed);
}

std::string_view snapshot_script() {
  return "return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]), "
         "redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1), redis.call('HGETALL', KEYS[4])}";
}

std::string_view snapshot_without_holds_script() {
  return "return {redis.call('HGETALL', KEYS[1]), {}, "
         "redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1), redis.call('HGETALL', KEYS[4])}";
}

std::optional<account_snapshot> parse_snapshot(const redisReply& reply) {
  const auto parts = elements_of(reply);
  if (parts.size() != 4) return std::nullopt;
  const auto row = parse_row(*parts[0]);
  auto grants = parse_grants(*parts[0]);
  auto plan = parse_plan(*parts[0]);
  const auto top_up = parse_top_up_state(field_of(*parts[0], "top_up"));
  if (!row || !grants || !plan || !top_up) return std::nullopt;
  account_snapshot snapshot;
  snapshot.row = *row;
  snapshot.grants = *std::move(grants);
  const auto unburned = row->settled - snapshot.grants.mark;
  burn(snapshot.grants.active, unburned);
  snapshot.grants.mark = row->settled;
  // A mark beyond the settled total would mean credits that nobody used; the script never writes
  // one.
  snapshot.overdrawn = total(snapshot.grants.active) + snapshot.grants.kept_total() -
                       row->posted() + std::max(-unburned, credits{});
  snapshot.plan = *std::move(plan);
  snapshot.top_up = *top_up;
  if (auto hours = field_of(*parts[0], "usage_hours"); !hours.empty()) {
    const auto first = parse_integer(take_until(hours, ' ')), last = parse_integer(hours);
    if (!first || !last) return std::nullopt;
    snapshot.usage_hours = std::pair{*first, *last};
  }
  snapshot.open_top_ups = parse_open_top_ups(field_of(*parts[0], "open_top_ups"));
  const auto holds = elements_of(*parts[1]);
  for (std::size_t i = 0; i + 1 < holds.size(); i += 2) {
    const auto hold = parse_hold(text_of(*holds[i]), text_of(*holds[i + 1]));
    if (!hold) return std::nullopt;
    snapshot.holds.push_back(*hold);
  }
  std::sort(snapshot.holds.begin(), snapshot.holds.end(),
            [](const open_hold& a, const open_hold& b) { return a.id < b.id; });
  const auto cycles = elements_of(*parts[3]);
  for (std::size_t i = 0; i + 1 < cycles.size(); i += 2) {
    auto books = parse_cycle(text_of(*cycles[i]), text_of(*cycles[i + 1]));
    if (!books) return std::nullopt;
    snapshot.cycles.push_back(*std::move(books));
  }
  std::ranges::sort(snapshot.cycles, {}, &cycle_record::index);
  snapshot.last_entry_id = "0-0";
  for (const auto* last : elements_of(*parts[2])) {
    const auto entries = parse_entries(*last);
    if (!entries) return std::nullopt;
    snapshot.last_entry_id = entries->back().id;
  }
  return snapshot;
}

}  // namespace tollgate::quota::redis
