// Alerts that an organization sets, and the events that report them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "quota/clock.hpp"
#include "quota/credits.hpp"
#include "quota/plan.hpp"

namespace tollgate::quota {

// An event of an account. Events are written in the step that caused them, in order. `facts` are
// "name value" pairs separated by blanks; quota/STORAGE.md lists them.
struct account_event {
  std::string id;  // in Redis the stream id, "1700000000000-0": orders events
  time_point at;
  std::string
      type;  // "usage_threshold", "balance_exhausted", ...; published with the prefix "account."
  std::string facts;
};

}  // namespace tollgate::quota
