#include "quota/redis/account_changes.hpp"

#include <algorithm>
#include <limits>

#include <hiredis/hiredis.h>

#include "quota/ledger/entry_id.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/retention.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

// KEYS: account, ledger, events. ARGV: for the ledger from and to, the maximum number of elements,
// the number of entries after which to stop, and the size of a step; then for the events from, to
// and their maximum number. An empty `from` asks for the last one only. An element contains any
// number of entries, and the entries are what costs: so the answer says how far it reaches (1:
// there may be more).
std::string_view news_script() {
  return R"(
local call = redis.call
local function last(key) return call('XREVRANGE', key, '+', '-', 'COUNT', 1) end
if ARGV[1] == '' then
  return {call('HMGET', KEYS[1], 'granted', 'settled', 'held', 'expired', 'carried'), last(KEYS[2]), last(KEYS[3]), 0}
end
local entries, seen, from, more = {}, 0, ARGV[1], 0
repeat
  local step = call('XRANGE', KEYS[2], from, ARGV[2], 'COUNT', ARGV[5])
  for _, element in ipairs(step) do
    entries[#entries + 1] = element
    seen = seen + #element[2] / 2
  end
  if #step < tonumber(ARGV[5]) then break end
  from = '(' .. step[#step][1]
  if #entries >= tonumber(ARGV[3]) or seen >= tonumber(ARGV[4]) then more = 1 end
until more == 1
local events = call('XRANGE', KEYS[3], ARGV[6], ARGV[7], 'COUNT', ARGV[8])
if #entries == 0 and #events == 0 then return {} end
return {call('HMGET', KEYS[1], 'granted', 'settled', 'held', 'expired', 'carried'), entries, events, more})";
}

// KEYS: ledger, retained, events. ARGV: from and to in the ledger. Answers the number of elements
// in that range (0 or 1), the position up to which entries have been dropped, the first event there
// is, and 1 if others came before it.
const std::string& gap_script() {
  static const std::string script{std::string{dropped_through_lua()} + R"(
local call = redis.call
local first = call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)
local cut = 0
if first[1] then
  local flat, info = call('XINFO', 'STREAM', KEYS[3]), {}
  for i = 1, #flat, 2 do info[flat[i]] = flat[i + 1] end
  if info['entries-added'] > info.length then cut = 1 end
end
return {#call('XRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', 1), dropped_through(KEYS[1], KEYS[2]),
        first[1] and first[1][1] or '0-0', cut})"};
  return script;
}

constexpr auto last_place = max_entries_together - 1;

bool is_before(const std::string& a, const std::string& b) {
  return parse_entry_id(a).value_or(entry_id{}) < parse_entry_id(b).value_or(entry_id{});
}

// The end of the element: after every entry that it may contain.
std::string end_of(entry_id element) {
  return to_string(entry_id{element.ms, element.sequence * max_entries_together + last_place});
}

// Where to begin reading after this entry. Its element may contain more entries.
std::string range_from(entry_id entry) {
  const auto element = to_string({entry.ms, entry.sequence / max_entries_together});
  return entry.sequence % max_entries_together == last_place ? "(" + element : element;
}

std::optional<entry_id> id_of(const redisReply& element) {
  const auto parts = elements_of(element);
  if (parts.size() != 2) return std::nullopt;
  return parse_entry_id(text_of(*parts[0]));
}

bool read_totals(const redisReply& reply, account_row& row) {
  const auto values = elements_of(reply);
  credits* const totals[] = {&row.granted, &row.settled, &row.held, &row.expired};
  if (values.size() != std::size(totals) + 1) return false;
  for (std::size_t i = 0; i < std::size(totals); ++i) {
    const auto text = text_of(*values[i]);
    if (text.empty()) continue;  // never written: zero
    const auto micro = parse_integer(text);
    if (!micro) return false;
    *totals[i] = credits::from_micro(*micro);
  }
  const auto carried = parse_carried(text_of(*values.back()));
  if (carried) carried->add_to(row);
  return carried.has_value();
}

// Adds the charges of an element's entries after `after`.
bool add_entries(const redisReply& element, entry_id id, entry_id after, account_changes& changes) {
  const auto texts = elements_of(*elements_of(element)[1]);
  if (texts.size() % 2 != 0 || texts.size() / 2 > max_entries_together) return false;
  for (std::size_t i = 0; i + 1 < texts.size(); i += 2) {
    if (entry_id{id.ms, id.sequence * max_entries_together + i / 2} <= after) continue;
    changes.moved = true;
    changes.last_entry_at = time_point{milliseconds{static_cast<std::int64_t>(id.ms)}};
    if (text_of(*texts[i]) != to_string(entry_type::settle)) continue;
    auto entry = text_of(*texts[i + 1]);
    const auto micro = parse_integer(take_until(entry, ' '));
    if (!micro) return false;
    changes.charged += credits::from_micro(*micro);
    ++changes.calls;
  }
  return true;
}

// The time in milliseconds up to which this answer is complete.
std::optional<std::uint64_t> complete_until(const std::vector<const redisReply*>& entries,
                                            bool more_entries,
                                            const std::vector<const redisReply*>& events,
                                            bool more_events) {
  auto until = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [found, more] :
       {std::pair{&entries, more_entries}, std::pair{&events, more_events}}) {
    if (!more) continue;
    const auto last = id_of(*found->back());
    if (!last) return std::nullopt;
    until = std::min(until, last->ms);
  }
  return until;
}

// The current state of the account.
std::optional<account_changes> parse_end(const std::vector<const redisReply*>& entries,
                                         const std::vector<const redisReply*>& events,
                                         account_changes changes) {
  for (const auto* last : entries) {
    const auto id = id_of(*last);
    if (!id) return std::nullopt;
    changes.up_to.entry = end_of(*id);
  }
  for (const auto* last : events) {
    const auto id = id_of(*last);
    if (!id) return std::nullopt;
    changes.up_to.event = to_string(*id);
  }
  return changes;
}

}  // namespace

std::optional<std::vector<std::string>> account_changes_command(
    const org_id& org, const std::optional<stream_positions>& after,
    const std::optional<stream_positions>& until) {
  std::vector<std::string> command{"EVAL",
                                   std::string{news_script()},
                                   "3",
                                   key_of(org, "account"),
                                   key_of(org, "ledger"),
                                   key_of(org, "events")};
  std::string entry_from, event_from, entry_to = "+", event_to = "+";
  if (after) {
    auto from = *after;
    if (until) {  // a position beyond the end is treated as the end
      if (is_before(until->entry, from.entry)) from.entry = until->entry;
      if (is_before(until->event, from.event)) from.event = until->event;
    }
    const auto entry = parse_entry_id(from.entry);
    if (!entry || !parse_entry_id(from.event)) return std::nullopt;
    entry_from = range_from(*entry);
    event_from = "(" + from.event;
  }
  if (until) {
    const auto element = element_of(until->entry);
    if (!element || !parse_entry_id(until->event)) return std::nullopt;
    entry_to = *element;
    event_to = until->event;
  }
  command.insert(command.end(), {entry_from, entry_to, std::to_string(elements_a_look),
                                 std::to_string(entries_a_look), std::to_string(elements_a_step),
                                 event_from, event_to, std::to_string(events_a_look)});
  return command;
}

std::optional<account_changes> parse_account_changes(const redisReply& reply,
                                                     const std::optional<stream_positions>& after,
                                                     const std::optional<stream_positions>& until) {
  const auto parts = elements_of(reply);
  account_changes changes;
  if (after) changes.up_to = *after;
  if (after && until) {
    if (is_before(changes.up_to.entry, until->entry)) changes.up_to.entry = until->entry;
    if (is_before(changes.up_to.event, until->event)) changes.up_to.event = until->event;
  }
  if (parts.empty() && after && reply.type == REDIS_REPLY_ARRAY) return changes;
  if (parts.size() != 4 || !read_totals(*parts[0], changes.row)) return std::nullopt;
  const auto entries = elements_of(*parts[1]), events = elements_of(*parts[2]);
  if (!after) return parse_end(entries, events, std::move(changes));

  const bool more_entries = parts[3]->type == REDIS_REPLY_INTEGER && parts[3]->integer == 1;
  const bool more_events = events.size() >= events_a_look;
  if (more_entries && entries.empty()) return std::nullopt;
  const auto complete = complete_until(entries, more_entries, events, more_events);
  const auto behind = parse_entry_id(after->entry);
  if (!complete || !behind) return std::nullopt;
  changes.more = more_entries || more_events;
  if (changes.more || !until) changes.up_to = *after;
  for (const auto* element : entries) {
    const auto id = id_of(*element);
    if (!id) return std::nullopt;
    if (id->ms > *complete) break;
    if (!add_entries(*element, *id, *behind, changes)) return std::nullopt;
    if (changes.more || !until) changes.up_to.entry = end_of(*id);
  }
  for (const auto* element : events) {
    auto event = parse_event(*element);
    if (!event) return std::nullopt;
    if (id_of(*element)->ms > *complete) break;
    if (changes.more || !until) changes.up_to.event = event->id;
    changes.events.push_back(*std::move(event));
  }
  return changes;
}

std::optional<std::vector<std::string>> gap_command(const org_id& org,
                                                    const stream_positions& after,
                                                    time_point told_from) {
  const auto entry = parse_entry_id(after.entry);
  if (!entry || !parse_entry_id(after.event)) return std::nullopt;
  return std::vector<std::string>{
      "EVAL",
      gap_script(),
      "3",
      key_of(org, "ledger"),
      key_of(org, "retained"),
      key_of(org, "events"),
      range_from(*entry),
      "(" + std::to_string(told_from.time_since_epoch().count()) + "-0"};
}

std::optional<account_gap> parse_gap(const redisReply& reply, const stream_positions& after) {
  const auto parts = elements_of(reply);
  if (parts.size() != 4) return std::nullopt;
  const std::string dropped{text_of(*parts[1])}, first_event{text_of(*parts[2])};
  if (!parse_entry_id(dropped) || !parse_entry_id(first_event)) return std::nullopt;
  account_gap gap;
  gap.usage = parts[0]->integer > 0 || is_before(after.entry, dropped);
  gap.events = parts[3]->integer == 1 && is_before(after.event, first_event);
  return gap;
}

}  // namespace tollgate::quota::redis
