#include "proxy/gateway/idle_limit.hpp"

#include <algorithm>

#include "config/units.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::chrono::seconds most_announced{24 * 3600};

}  // namespace

// A request needs time to get there, and the upstream's clock may have begun before ours: a second
// is left, or half of the time if that is less.
void idle_limit::announced(std::string_view keep_alive) {
  constexpr std::string_view name = "timeout=";
  while (!keep_alive.empty()) {
    const auto element = keep_alive.substr(0, keep_alive.find(','));
    keep_alive.remove_prefix(std::min(element.size() + 1, keep_alive.size()));
    auto parameter = routes::without_blanks(element);
    if (!routes::equal_ignoring_case(parameter.substr(0, name.size()), name)) continue;
    parameter.remove_prefix(name.size());
    const auto seconds = config::parse_whole(parameter);
    if (!seconds || *seconds > static_cast<std::uint64_t>(most_announced.count())) return;
    const duration timeout = std::chrono::seconds{*seconds};
    configured_ = std::min(configured_, std::max(timeout - std::chrono::seconds{1}, timeout / 2));
    return;
  }
}

void idle_limit::found_closed(duration age, steady_time now) {
  // Younger ones are closed when the upstream ends, and finding one does no harm.
  if (age >= std::chrono::seconds{1}) learn(age, now);
}

void idle_limit::lost_request(duration age, steady_time now) {
  learn(age, now);
}

// Connections are looked at every second, so it may have been closed a second earlier.
void idle_limit::learn(duration age, steady_time now) {
  const auto safe = std::max(age * 9 / 10 - std::chrono::milliseconds{1100}, age / 2);
  if (safe >= at(now)) return;
  learned_ = safe;
  learned_at_ = now;
}

idle_limit::duration idle_limit::at(steady_time now) const {
  if (learned_ >= configured_) return configured_;
  auto limit = learned_;
  auto passed = now - learned_at_;
  for (; limit < configured_ && passed >= doubles_after; passed -= doubles_after) {
    limit = std::max(2 * limit, duration{std::chrono::milliseconds{1}});
  }
  return std::min(limit, configured_);
}

}  // namespace tollgate::proxy
