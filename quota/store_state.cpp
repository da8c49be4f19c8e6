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

bool needs_operator(store_trouble trouble) {
  switch (trouble) {
    case store_trouble::name_unknown:
    case store_trouble::malformed:
    case store_trouble::no_auth:
    case store_trouble::no_permission:
    case store_trouble::no_library:
    case store_trouble::newer_schema:
    case store_trouble::other:
      return true;
    default:
      return false;
  }
}

}  // namespace tollgate::quota
