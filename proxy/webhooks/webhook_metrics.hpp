// Counters of webhooks, of the control thread.
#pragma once

#include "proxy/metrics/cells.hpp"
#include "proxy/webhooks/delivery.hpp"

namespace tollgate::proxy::metrics {

inline constexpr std::size_t webhook_verdict_count = 3;  // webhooks::verdict

struct webhook_metrics {
  by_enum<webhooks::verdict, webhook_verdict_count> deliveries;  // by what became of each attempt
  counter dead_letters;                                          // events that were given up
  counter forgotten;  // endpoints that found the stream cut off behind them
};

}  // namespace tollgate::proxy::metrics
