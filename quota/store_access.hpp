#pragma once

#include <cstdint>

namespace tollgate::quota {

// A connection that only reads leaves the store as it is: it neither notes a schema in it nor loads
// the ledger's library.
enum class store_access : std::uint8_t { read_only, read_write };

}  // namespace tollgate::quota
