// Counters of the archiver.
#pragma once

#include "proxy/metrics/cells.hpp"

namespace tollgate::proxy::metrics {

struct archive_metrics {
  counter entries, statements, failures;
  gauge leads;   // 1: this sidecar writes
  gauge lag_ms;  // since everything was archived
};

}  // namespace tollgate::proxy::metrics
