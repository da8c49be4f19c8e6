// What has happened to an account since a moment, as server-sent events: pure.
//
// A stream of them ends with what there is, and asks the client to come again in a second with the
// id of the last event it saw. So nothing waits anywhere, a client that was away for a while misses
// nothing, and what happened is with it within a second and the time of one request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quota/ledger_store.hpp"

namespace tollgate::proxy::admin {

// Where a client stands: the last event and the last ledger entry that it knows of.
struct event_cursor {
  std::string event = "0-0", entry = "0-0";

  std::string text() const { return event + "." + entry; }
  static std::optional<event_cursor> parse(std::string_view text);
};

// {"id","type","created_at","org","data"}: the envelope of everything that tells what has happened.
std::string event_json(const quota::org_id& org, const quota::account_event& event);

// Events in their order, then what the entries used as one `usage`, and the `balance` after them.
class event_report {
 public:
  event_report(quota::org_id org, event_cursor from) : org_{std::move(org)}, at_{std::move(from)} {}

  void add(const quota::account_event& event);
  void add(const std::vector<quota::ledger_entry>& entries);
  // Also tells a client that comes for the first time what it is about to see change.
  void add(const quota::account_snapshot& account);

  std::string take();

 private:
  void write(std::string_view type, std::string_view data);

  quota::org_id org_;
  event_cursor at_;
  std::string out_;
};

}  // namespace tollgate::proxy::admin
