#include "proxy/webhooks/schedule.hpp"

#include <algorithm>
#include <numeric>

namespace tollgate::proxy::webhooks {

schedule::schedule(const std::vector<quota::milliseconds>& pauses) : offsets_(pauses.size()) {
  std::partial_sum(pauses.begin(), pauses.end(), offsets_.begin());
}

std::optional<quota::time_point> schedule::next_attempt(quota::time_point created,
                                                        quota::time_point tried,
                                                        bool was_the_first) const {
  const auto next = std::upper_bound(offsets_.begin(), offsets_.end(), tried - created);
  if (next != offsets_.end()) return created + *next;
  if (was_the_first && offsets_.size() > 1) return tried + (offsets_[1] - offsets_[0]);
  return {};
}

}  // namespace tollgate::proxy::webhooks
