// The kernel's figures for this process.
#pragma once

#include <cstdint>

namespace tollgate::proxy::metrics {

struct process_info {
  std::int64_t start_time_ms = 0;  // since the Unix epoch
  std::int64_t cpu_ms = 0;
  std::int64_t resident_bytes = 0;
  std::int64_t open_fds = 0, max_fds = 0;
  std::int64_t threads = 0;
};

process_info read_process_info();

}  // namespace tollgate::proxy::metrics
