// Reads the ledger's data in Redis back into domain values. Nothing that is read is trusted: text
// that the script would not write gives nothing.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "quota/account_history.hpp"
#include "quota/ledger/entry_id.hpp"

struct redisReply;

namespace tollgate::quota::redis {

// Text of a bulk string, status or error; empty for everything else.
std::string_view text_of(const redisReply& reply);
std::vector<const redisReply*> elements_of(const redisReply& reply);
// The value of `field` in a flat list of fields and values (HGETALL); empty if there is none.
std::string_view field_of(const redisReply& flat, std::string_view field);

std::optional<std::int64_t> parse_integer(std::string_view text);
// The answer to TIME.
std::optional<time_point> parse_time(const redisReply& reply);
// Removes the next part of `rest` up to `separator`, and the separator, and returns the part.
std::string_view take_until(std::string_view& rest, char separator);

// The script resets its totals from time to time (carry() in ledger/scripts); these are the amounts
// before that.
struct carried_totals {
  credits settled, expired;

  void add_to(account_row& row) const {
    row.granted += settled + expired;
    row.settled += settled;
    row.expired += expired;
  }
};
std::optional<carried_totals> parse_carried(std::string_view packed);

std::optional<account_row> parse_row(const redisReply& flat);

// The rest of the account's hash: account_rows.cpp. Grants are as of their mark.
std::optional<account_grants> parse_grants(const redisReply& flat);
// The inner optional is empty if the account was never configured.
std::optional<std::optional<account_plan>> parse_plan(const redisReply& flat);
std::optional<top_up_state> parse_top_up_state(std::string_view packed);
std::vector<std::string> parse_open_top_ups(std::string_view packed);
std::optional<cycle_record> parse_cycle(std::string_view index, std::string_view packed);
std::optional<top_up_record> parse_top_up(std::string_view id, std::string_view packed);
// An element of the stream of events: its type and its facts.
std::optional<account_event> parse_event(const redisReply& element);

std::optional<std::vector<ledger_entry>> parse_entries(const redisReply& element);
// The id of the element that contains the entry; nothing if `entry_id` is not the id of an entry.
std::optional<std::string> element_of(std::string_view entry_id);

std::optional<open_hold> parse_hold(std::string_view id, std::string_view packed);
std::optional<grant_record> parse_grant(std::string_view id, std::string_view packed);
std::optional<usage_counter> parse_counter(std::int64_t hour, std::string_view who,
                                           std::string_view packed);
// For late counters, whose field begins with the hour: "HOUR\tROUTE\t...".
std::optional<usage_counter> parse_late_counter(std::string_view hour_and_who,
                                                std::string_view packed);

// Reads account, holds, cycles and the last entry in one step. KEYS: account, holds, ledger,
// cycles.
std::string_view snapshot_script();
std::string_view snapshot_without_holds_script();
std::optional<account_snapshot> parse_snapshot(const redisReply& reply);

}  // namespace tollgate::quota::redis
