// The archive jobs' state of an organization. A cache of this process: the store and the archive
// have the authoritative data.
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
  steady::time_point look_at{};  // when new data is next expected
  steady::duration patience{};   // grows while there is none
  steady::time_point tidy_at{};
  quota::retained kept;  // as known here: other sidecars may have dropped more
  bool kept_known = false;
};

using archived_accounts = std::map<quota::org_id, archived_account>;

}  // namespace tollgate::proxy::archive
