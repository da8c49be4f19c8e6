// Times for tests in which the exact time does not matter.
#pragma once

#include "quota/clock.hpp"

namespace tollgate::tests {

inline constexpr quota::time_point noon{
    quota::milliseconds{1'767'268'800'000}};  // 2026-01-01T12:00Z
// A round number, for texts that contain milliseconds or hours (hour 472222).
inline constexpr quota::time_point round_moment{quota::milliseconds{1'700'000'000'000}};

}  // namespace tollgate::tests
