// What the control thread counts of top-ups.
#pragma once

#include "proxy/metrics/cells.hpp"
#include "quota/ledger/operation.hpp"

namespace tollgate::proxy::metrics {

inline constexpr std::size_t top_up_verdict_count = 4;  // quota::top_up_verdict

struct payment_metrics {
  by_enum<quota::top_up_verdict, top_up_verdict_count> top_ups;  // by what became of each delivery
};

}  // namespace tollgate::proxy::metrics
