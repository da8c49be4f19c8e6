#include "proxy/app/memory.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "proxy/net/memory_budget.hpp"
#include "proxy/net/memory_limit.hpp"

namespace tollgate::proxy {

namespace {

std::string in_mib(std::uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

// A quarter of the memory for plain connections; three eighths with TLS, whose buffers dominate.
void fit_to_memory(config::settings& settings) {
  constexpr std::uint64_t plain = 16 * 1024, with_tls = 96 * 1024;  // each, with a call that waits
  const auto limit = find_memory_limit();
  const auto eighth = limit.bytes / 8;
  const auto most =
      std::max<std::uint64_t>(settings.tls ? 3 * eighth / with_tls : 2 * eighth / plain, 1);
  auto& limits = settings.limits;
  if (limits.connections <= most) return;
  limits.connections = most;
  spdlog::info("at most {} connections from clients, by {}, {}", most, limit.from,
               in_mib(limit.bytes));
}

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
