// The traffic of a connection to the store since it was opened.
#pragma once

#include <cstdint>

#include "quota/store_state.hpp"

namespace tollgate::quota {

struct store_traffic {
  std::uint64_t connects = 0, commands = 0, writes = 0, bytes_out = 0, bytes_in = 0;
  store_trouble_counts troubles{};
};

}  // namespace tollgate::quota
