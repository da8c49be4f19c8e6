// Times as stored in Redis: milliseconds since the epoch, as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "quota/clock.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

inline time_point at_ms(std::int64_t ms) {
  return time_point{milliseconds{ms}};
}

inline std::string ms_text(time_point at) {
  return std::to_string(at.time_since_epoch().count());
}

// The epoch if the text is not a number.
inline time_point time_of(std::string_view ms) {
  return at_ms(parse_integer(ms).value_or(0));
}

}  // namespace tollgate::quota::redis
