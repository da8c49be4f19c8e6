// What has happened to an account since somebody last looked, for streams of events. It is asked
// for several times a second, so nothing is read where nothing happened, and of the ledger's
// entries only what they charged.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quota/ledger_store.hpp"

struct redisReply;

namespace tollgate::quota::redis {

// Nothing where `after` or `until` is no place in an account. The most that one answer tells of is
// so many events, and the entries of so many script calls.
inline constexpr std::size_t events_a_look = 200, elements_a_look = 128;
std::optional<std::vector<std::string>> news_command(const org_id& org,
                                                     const std::optional<account_marks>& after,
                                                     const std::optional<account_marks>& until);
// Places in the ledger are given as the end of an element: that of the last entry that could stand
// in it.
std::optional<account_news> parse_news(const redisReply& reply,
                                       const std::optional<account_marks>& after,
                                       const std::optional<account_marks>& until);

}  // namespace tollgate::quota::redis
