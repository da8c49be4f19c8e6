#include "proxy/app/store_log.hpp"

#include <algorithm>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

namespace tollgate::proxy {

bool store_changes::is_told_cause_left() const {
  return std::ranges::any_of(in_trouble_, [&](const auto& each) { return each.second == *told_; });
}

std::optional<std::string> store_changes::note(int connection, const quota::store_state& now,
                                               time at) {
  if (now.ready()) {
    in_trouble_.erase(connection);
    if (!told_ || !in_trouble_.empty()) return {};
    const auto cause = *std::exchange(told_, std::nullopt);
    const std::chrono::duration<double> lasted = at - since_;
    return fmt::format("store: ready again after {:.1f} s (cause={})", lasted.count(),
                       to_string(cause));
  }
  in_trouble_[connection] = now.trouble;
  if (told_ && is_told_cause_left()) return {};
  if (!told_) since_ = at;
  told_ = now.trouble;
  return fmt::format("store: unavailable, cause={}: {}", to_string(now.trouble), now.detail);
}

int store_log::add() {
  const std::lock_guard lock{mutex_};
  return connections_++;
}

void store_log::note(int connection, const quota::store_state& now) {
  const std::lock_guard lock{mutex_};
  const auto line = changes_.note(connection, now, std::chrono::steady_clock::now());
  if (!line) return;
  spdlog::log(now.ready() ? spdlog::level::info : spdlog::level::err, "{}", *line);
}

void store_log::refused(const std::string& why) {
  constexpr std::size_t most = 1'000;
  const std::lock_guard lock{mutex_};
  if (refused_.size() >= most || !refused_.insert(why).second) return;
  spdlog::error("store: {}", why);
}

}  // namespace tollgate::proxy
