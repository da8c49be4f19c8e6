#include "quota/store_state.hpp"

namespace tollgate::quota {

std::string_view to_string(store_trouble trouble) {
  static constexpr std::array<std::string_view, store_trouble_count> names{
      "none",       "connecting",  "name_unknown", "unreachable",  "closed",
      "timed_out",  "malformed",   "too_many",     "no_auth",      "no_permission",
      "loading",    "busy",        "replica",      "cluster_down", "out_of_memory",
      "disk_error", "no_replicas", "no_library",   "newer_schema", "other"};
  return names.at(static_cast<std::size_t>(trouble));
}

}  // namespace tollgate::quota
