// What is known of one exchange when it is over: the access log and the metrics are made of it. It
// is filled once, and decides nothing. The views are valid while it is written.
#pragma once

#include <cstdint>
#include <string_view>

#include "quota/charge.hpp"
#include "routes/problem.hpp"

namespace tollgate::proxy {

struct exchange_record {
  static constexpr std::size_t no_route = static_cast<std::size_t>(-1);

  std::string_view request_id{}, org{}, method{}, path{}, peer{};
  struct tracked_by {
    std::string_view route{}, action{}, model{}, agent{}, conversation{}, key_id{};
  } who{};
  std::size_t route = no_route;
  int status = 0;                                 // sent to the client; 0: nothing was
  std::optional<routes::problem_code> refusal{};  // Tollgate's own answer
  quota::stream_end end = quota::stream_end::not_sent;
  struct money_of_call {
    bool held = false;                       // a hold was in place
    bool beyond_balance = false;             // or cap, or limit: critical, or shadow
    bool settles = false;                    // else the hold is voided
    quota::credits estimate{}, charged{};    // of the hold; 0 charged where it is voided
    quota::credits extended{};               // by how much the hold grew
    std::optional<std::int64_t> audio_us{};  // where seconds of audio were counted
    bool unmeasurable = false;               // they were estimated by size
  } money{};
  std::uint64_t bytes_in = 0, bytes_out = 0;  // bodies, as the client sees them
  struct durations {
    std::int64_t total_us = 0;     // first byte of the head to the last sent
    std::int64_t store_us = 0;     // waiting for the reservation
    std::int64_t upstream_us = 0;  // sent upstream to the answer's head
    std::int64_t overhead_us = 0;  // Tollgate's own part before the answer's head
  } took{};
};

}  // namespace tollgate::proxy
