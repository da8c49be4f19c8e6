#include "proxy/app/memory.hpp"

#include <spdlog/spdlog.h>

#include "proxy/net/memory_budget.hpp"
#include "proxy/net/memory_limit.hpp"

namespace tollgate::proxy {

namespace {

std::string in_mib(std::uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

void bound_memory(const config::limit_settings& limits) {
  auto& budget = memory_budget::shared();
  const auto limit = find_memory_limit();
  const bool is_set = limits.buffered_bytes > 0;
  const auto total = is_set ? limits.buffered_bytes : default_buffered(limit);
  if (total == budget.total()) return;
  budget.set_total(total);
  const auto most = limit.from + ", " + in_mib(limit.bytes);
  if (is_set) {
    spdlog::info("limits.buffered: {} for bodies and buffers ({})", in_mib(total), most);
  } else {
    spdlog::info("limits.buffered is not set: {} for bodies and buffers, a share of {}",
                 in_mib(total), most);
  }
  if (total > limit.bytes / 2) {
    spdlog::warn("limits.buffered is more than half of {}", most);
  }
  if (budget.share() < limits.json_bytes) {
    spdlog::info("one organization gets {} of it, which is less than limits.json",
                 in_mib(budget.share()));
  }
}

}  // namespace tollgate::proxy
