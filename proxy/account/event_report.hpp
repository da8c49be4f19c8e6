// Formats the changes of an account as server-sent events. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quota/account_history.hpp"

namespace tollgate::proxy::admin {

// A client's position: the last event and the last ledger entry that it has received.
struct event_cursor : quota::stream_positions {
  event_cursor() = default;
  event_cursor(quota::stream_positions marks) : quota::stream_positions{std::move(marks)} {}

  std::string text() const { return event + "." + entry; }
  static std::optional<event_cursor> parse(std::string_view text);
  // From the `id` in an event's envelope. Usage is sent from the moment of that event on.
  static std::optional<event_cursor> behind_event(const quota::org_id& org, std::string_view name);
};

// Whether `a` is before `b`, by its event or by its entry.
bool is_behind(const quota::stream_positions& a, const quota::stream_positions& b);
// The earlier position, for events and entries separately.
quota::stream_positions nearer(const quota::stream_positions& a, const quota::stream_positions& b);

// "evt_1769853600000-0-822b33ad87": the public id of an event. The ledger numbers the events of
// each organization by the millisecond, so two organizations can have equal numbers; a receiver of
// several needs the organization in the id to deduplicate.
std::string event_name(const quota::org_id& org, std::string_view event);
// The event's id in its organization's stream, from its public id, with or without "evt_" and the
// organization's suffix. Empty if it is not an event id, or belongs to another organization.
std::optional<std::string> parse_event_name(const quota::org_id& org, std::string_view text);

// {"id","type","created_at","org","data"}: the envelope of all events.
std::string event_json(const quota::org_id& org, const quota::account_event& event);

// Events in order, then one `usage` of all calls, then the `balance`. Each carries its position, so
// that a client that reconnects misses nothing.
class event_report {
 public:
  // The start of a stream: how soon to reconnect after it breaks.
  static constexpr std::string_view greeting = "retry: 1000\n\n";
  // Keeps the connection alive through proxies; clients skip it.
  static constexpr std::string_view heartbeat = ": nothing happened\n\n";

  // `now`: the time of the balance.
  event_report(quota::org_id org, event_cursor from, quota::time_point now)
      : org_{std::move(org)}, at_{std::move(from)}, read_{at_}, now_{now} {}

  void add(const quota::account_changes& changes);
  void add(const quota::account_row& account);
  // Reports missing events or usage.
  void add(const quota::account_gap& gap);

  std::string take();
  // A client's position after reading all of it.
  const event_cursor& at() const { return at_; }

 private:
  void write(std::string_view type, std::string_view data);
  void write_usage();

  quota::org_id org_;
  event_cursor at_, read_;  // the position written, and the position added
  quota::time_point now_;
  quota::credits charged_;
  std::int64_t calls_ = 0;
  quota::time_point last_call_;
  std::string out_;
};

}  // namespace tollgate::proxy::admin
