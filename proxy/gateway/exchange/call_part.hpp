// The parts of a call's time.
#pragma once

#include <cstdint>
#include <string_view>

namespace tollgate::proxy {

enum class call_part : std::uint8_t {
  overhead,  // Tollgate itself
  key,       // looking up the API key
  request,   // waiting for the client's request body
  store,     // waiting for the ledger: the reservation, or a report for a customer
  connect,   // waiting for a new connection to the upstream
  upstream,  // from sending the request to the head of the response
  response   // from there until the client has all of it
};
inline constexpr std::size_t call_part_count = 7;

constexpr std::string_view to_string(call_part part) {
  constexpr std::string_view names[] = {"overhead", "key",      "request", "store",
                                        "connect",  "upstream", "response"};
  return names[static_cast<std::size_t>(part)];
}

}  // namespace tollgate::proxy
