// How much memory the store uses and may use, as `INFO memory` says.
#pragma once

#include <string_view>

#include "quota/redis/connection.hpp"
#include "quota/store.hpp"

namespace tollgate::quota::redis {

store_memory parse_memory(std::string_view info);
task<result<store_memory>> read_memory(connection& connection);

}  // namespace tollgate::quota::redis
