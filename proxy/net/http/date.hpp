// The time as HTTP writes it (RFC 9110, 5.6.7).
#pragma once

#include <chrono>
#include <string>

namespace tollgate::proxy {

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::chrono::system_clock::time_point time);

}  // namespace tollgate::proxy
