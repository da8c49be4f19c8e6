// Reads a hash of any size in pieces, so that no command of a read holds Redis for long.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "quota/ids.hpp"
#include "quota/read_budget.hpp"
#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {

// About so many fields of a hash are read by one command. A small hash, which Redis keeps as one
// block (up to its hash-max-listpack-entries), is read whole.
inline constexpr std::size_t fields_a_piece = 250;

// False: it cannot be read; the read ends with store_errc::protocol, or with no_memory if the loan
// was refused meanwhile.
using field_taker = std::function<bool(std::string_view field, std::string_view value)>;

// Takes every field that is there during the whole read exactly once, and each other field at most
// once. A value is that of the moment in which its piece was read: only a hash that fits into one
// piece is read in one step.
// A large hash takes memory for each of its fields: from `memory`, or it ends with
// store_errc::no_memory.
task<result<void>> read_hash_in_pieces(connection& connection, const org_id& org, std::string key,
                                       field_taker take, read_loan& memory);

}  // namespace tollgate::quota::redis
