#include "proxy/app/descriptors.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>

namespace tollgate::proxy {

namespace {

// Of one thread: its event loop (3), the listener, the store, log files, segments of the journal,
// and what rounding adds to clients that leave.
constexpr std::size_t per_thread = 12;
// Of the process: standard streams, control thread, archiver, locks, pipes of the embedded store,
// deliveries of webhooks and top-ups, name lookups.
constexpr std::size_t for_process = 40;
constexpr std::size_t most_admin = 256, most_events = 64, fewest = 4;
constexpr std::size_t enough = 1024;  // connections from clients

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

descriptor_shares share_descriptors(std::size_t limit, int workers,
                                    const config::settings& settings) {
  descriptor_shares out;
  const auto threads = static_cast<std::size_t>(workers);
  out.process = for_process + per_thread * threads;
  out.admin = std::clamp(limit / 16, fewest, most_admin);
  out.events = std::clamp(limit / 32, fewest, most_events);
  const auto others = out.process + 2 * out.admin + out.events;
  const auto left = limit > others ? limit - others : 0;
  const auto pools = std::max<std::size_t>(threads * settings.upstreams.size(), 1);
  out.idle = std::min(settings.limits.idle_upstream_connections, left / 4 / pools);
  // Each client has an upstream. An eighth as many may be leaving, and another eighth be refused
  // (open_sessions::spare_of).
  const auto for_clients = (left - out.idle * pools) * 4 / 9;
  out.clients = std::clamp<std::size_t>(for_clients, 1, settings.limits.connections);
  return out;
}

std::string fit_to(std::size_t limit, int threads, config::settings& settings) {
  const auto shares = share_descriptors(limit, threads, settings);
  auto& connections = settings.limits.connections;
  settings.limits.idle_upstream_connections = shares.idle;
  if (shares.clients >= connections) return "";
  const auto wanted = std::exchange(connections, shares.clients);
  // The default is more than most need.
  if (wanted == config::limit_settings{}.connections && shares.clients >= enough) return "";
  return fmt::format(
      "{} file descriptors allow {} connections from clients, not {} (limits.connections): raise "
      "the limit (`ulimit -n`, LimitNOFILE= in systemd)",
      limit, connections, wanted);
}

}  // namespace tollgate::proxy
