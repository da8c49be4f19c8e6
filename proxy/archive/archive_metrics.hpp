// What the archiver counts.
#pragma once

#include "proxy/metrics/cells.hpp"

namespace tollgate::proxy::metrics {

struct archive_metrics {
  counter entries, statements, failures;
  gauge leads;   // 1: this one writes
  gauge lag_ms;  // since all that was there had been added
};

}  // namespace tollgate::proxy::metrics
