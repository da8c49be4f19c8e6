// Changes to an account since the last look, for streams of events. They are requested several
// times per second, so nothing is read where nothing happened, and of the ledger's entries only
// their charges are read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quota/account_history.hpp"

struct redisReply;

namespace tollgate::quota::redis {

// The most that one answer reports: the number of events, and for the ledger the number of elements
// (script calls), or enough elements for that number of entries, plus the rest of a step. One
// answer blocks Redis for less than a millisecond.
inline constexpr std::size_t events_a_look = 200, elements_a_look = 128, entries_a_look = 400,
                             elements_a_step = 8;
// Nothing if `after` or `until` is not a position in an account.
std::optional<std::vector<std::string>> account_changes_command(
    const org_id& org, const std::optional<stream_positions>& after,
    const std::optional<stream_positions>& until);
// Positions in the ledger are given as the end of an element: the position of the last entry that
// the element could contain.
std::optional<account_changes> parse_account_changes(const redisReply& reply,
                                                     const std::optional<stream_positions>& after,
                                                     const std::optional<stream_positions>& until);

// Whether entries or events after a position have been dropped.
std::optional<std::vector<std::string>> gap_command(const org_id& org,
                                                    const stream_positions& after,
                                                    time_point told_from);
std::optional<account_gap> parse_gap(const redisReply& reply, const stream_positions& after);

}  // namespace tollgate::quota::redis
