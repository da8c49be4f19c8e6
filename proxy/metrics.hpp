// The metrics of the data plane: what a thread counts, and the registry that sums it up.
#pragma once

#include "proxy/metrics/registry.hpp"
#include "proxy/metrics/thread_metrics.hpp"
