// What the archivist counts.
#pragma once

#include "proxy/metrics/cells.hpp"

namespace tollgate::proxy::metrics {

struct archive_metrics {
  counter entries, statements, failures;
  gauge leads;          // 1: this one writes
  gauge oldest_lag_ms;  // how long the oldest entry had waited that was added last
};

}  // namespace tollgate::proxy::metrics
