// What has happened to an account since somebody last looked, for streams of events. It is asked
// for several times a second, so nothing is read where nothing happened, and of the ledger's
// entries only what they charged.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quota/account_history.hpp"

struct redisReply;

namespace tollgate::quota::redis {

// The most that one answer tells of: so many events, and of the ledger so many elements (script
// calls), or those with so many entries, and what is left of a step. It keeps Redis from others for
// less than a millisecond.
inline constexpr std::size_t events_a_look = 200, elements_a_look = 128, entries_a_look = 400,
                             elements_a_step = 8;
// Nothing where `after` or `until` is no place in an account.
std::optional<std::vector<std::string>> account_changes_command(
    const org_id& org, const std::optional<stream_positions>& after,
    const std::optional<stream_positions>& until);
// Places in the ledger are given as the end of an element: that of the last entry that could stand
// in it.
std::optional<account_changes> parse_account_changes(const redisReply& reply,
                                                     const std::optional<stream_positions>& after,
                                                     const std::optional<stream_positions>& until);

// Whether something behind a place is not there any more.
std::optional<std::vector<std::string>> gap_command(const org_id& org,
                                                    const stream_positions& after,
                                                    time_point told_from);
std::optional<account_gap> parse_gap(const redisReply& reply, const stream_positions& after);

}  // namespace tollgate::quota::redis
