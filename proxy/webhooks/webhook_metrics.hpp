// Counters of webhooks, written by the control thread.
#pragma once

#include "proxy/metrics/cells.hpp"
#include "proxy/webhooks/delivery.hpp"

namespace tollgate::proxy::metrics {

inline constexpr std::size_t webhook_verdict_count = 3;  // webhooks::verdict

struct webhook_metrics {
  by_enum<webhooks::verdict, webhook_verdict_count> deliveries;  // by the result of each attempt
  counter dead_letters;                                          // events that were dropped
  counter forgotten;  // endpoints whose cursor was before the start of the stream
};

}  // namespace tollgate::proxy::metrics
