#include "proxy/webhooks/schedule.hpp"

#include <algorithm>
#include <numeric>

namespace tollgate::proxy::webhooks {

schedule::schedule(const std::vector<quota::milliseconds>& pauses) : offsets_(pauses.size()) {
  std::partial_sum(pauses.begin(), pauses.end(), offsets_.begin());
}

std::optional<quota::time_point> schedule::next_attempt(quota::time_point created,
                                                        quota::time_point tried, bool was_the_first,
                                                        std::uint64_t random) const {
  const auto next = std::upper_bound(offsets_.begin(), offsets_.end(), tried - created);
  if (next != offsets_.end()) {
    const auto attempt = static_cast<std::size_t>(next - offsets_.begin());
    return created + *next + jitter(attempt, random);
  }
  if (was_the_first && offsets_.size() > 1) return tried + pause_before(1) + jitter(1, random);
  return {};
}

quota::milliseconds schedule::pause_before(std::size_t attempt) const {
  return attempt == 0 ? offsets_[0] : offsets_[attempt] - offsets_[attempt - 1];
}

quota::milliseconds schedule::jitter(std::size_t attempt, std::uint64_t random) const {
  auto pause = pause_before(attempt);
  if (attempt + 1 < offsets_.size()) pause = std::min(pause, pause_before(attempt + 1));
  const auto most = static_cast<std::uint64_t>(pause.count() / 10);
  return quota::milliseconds{random % (most + 1)};
}

}  // namespace tollgate::proxy::webhooks
