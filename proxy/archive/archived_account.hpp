// What the jobs of the archive know of an organization. Of this process alone: what counts stands
// in the store and in the archive.
#pragma once

#include <chrono>
#include <map>

#include "proxy/archive/collector.hpp"

namespace tollgate::proxy::archive {

struct archived_account {
  using steady = std::chrono::steady_clock;

  position at;  // how far the archive goes
  bool position_known = false;
  collector::progress progress;
  steady::time_point look_at{};  // when there is next something to be expected of it
  steady::duration patience{};   // grows while there is nothing
  steady::time_point tidy_at{};
  quota::retained kept;  // as far as is known here: others may have dropped more
  bool kept_known = false;
};

using archived_accounts = std::map<quota::org_id, archived_account>;

}  // namespace tollgate::proxy::archive
