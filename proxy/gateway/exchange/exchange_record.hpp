// The facts about one exchange at its end, for the access log and the metrics. It is filled once
// and makes no decisions. The views are valid while it is written.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/gateway/upstream_failure.hpp"
#include "quota/charge.hpp"
#include "routes/problem.hpp"

namespace tollgate::proxy {

struct exchange_record {
  static constexpr std::size_t no_route = static_cast<std::size_t>(-1);

  std::string_view request_id{}, method{}, path{}, peer{};
  struct tracked_by {
    std::string_view route{}, action{}, model{}, agent{}, conversation{}, key_id{}, org{};
  } who{};
  std::size_t route = no_route;
  int status = 0;                                 // sent to the client; 0: nothing was sent
  int upstream_status = 0;                        // 0: it has not answered
  std::optional<routes::problem_code> refusal{};  // Tollgate's own answer
  quota::stream_end end = quota::stream_end::not_sent;
  upstream_failure failure{};
  struct money_of_call {
    bool held = false;                       // a hold was in place
    bool beyond_balance = false;             // or beyond cap or limit: critical, or shadow
    bool shadow = false;                     // nothing could have refused it
    bool settles = false;                    // otherwise the hold is voided
    quota::credits estimate{}, charged{};    // of the hold; charged is 0 if it is voided
    quota::credits extended{};               // the amount by which the hold was extended
    std::optional<std::int64_t> audio_us{};  // if seconds of audio were counted
    bool unmeasurable = false;               // the seconds were estimated from the size
  } money{};
  std::uint64_t bytes_in = 0, bytes_out = 0;  // of bodies, as the client sees them
  struct durations {
    std::int64_t total_us = 0;  // from the end of the request's head to the last byte sent
    // The parts of the total (call_part); together they are the total.
    std::int64_t key_us = 0, request_us = 0, store_us = 0, connect_us = 0, upstream_us = 0,
                 response_us = 0, overhead_us = 0;
  } took{};
};

}  // namespace tollgate::proxy
