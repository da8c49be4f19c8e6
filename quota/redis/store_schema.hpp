// The schema version of the whole store: the highest that any account in it may have.
#pragma once

#include <string>
#include <string_view>

#include "quota/redis/connection.hpp"
#include "quota/store_access.hpp"
#include "quota/task.hpp"

namespace tollgate::quota::redis {

inline constexpr std::string_view schema_key = "tollgate:schema";

// Reads the store's schema. If it is older or missing, writes this version's, unless the connection
// only reads. A schema that this version does not know is refused: `connection.refusal()` says why.
task<result<void>> check_store_schema(connection& connection, store_access access);

// The message about a schema that this version does not know.
std::string newer_schema_text(std::string_view subject, std::string_view schema);

// Asks a reachable store, waiting at most `patience`, why it cannot be used. Empty: it can be used,
// or it does not answer.
std::string why_refused(const address& where, milliseconds patience,
                        store_access access = store_access::read_write);

}  // namespace tollgate::quota::redis
