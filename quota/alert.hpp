// What an organization wants to be told before it gets expensive, and the events that tell it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "quota/clock.hpp"
#include "quota/credits.hpp"
#include "quota/plan.hpp"

namespace tollgate::quota {

// An event of an account. Events are written in the step that caused them, in order. `facts` are
// "name value" pairs, blanks between them: what they are is listed in quota/README.md.
struct account_event {
  std::string id;  // in Redis the stream id, "1700000000000-0": orders events
  time_point at;
  std::string
      type;  // "usage_threshold", "balance_exhausted", ...; outside "account." stands before it
  std::string facts;
};

}  // namespace tollgate::quota
