#include "proxy/webhooks/schedule.hpp"

#include <algorithm>
#include <numeric>

namespace tollgate::proxy::webhooks {

schedule::schedule(const std::vector<quota::milliseconds>& pauses) : offsets_(pauses.size()) {
  std::partial_sum(pauses.begin(), pauses.end(), offsets_.begin());
}

std::optional<quota::time_point> schedule::next_attempt(quota::time_point created,
                                                        quota::time_point tried) const {
  const auto next = std::upper_bound(offsets_.begin(), offsets_.end(), tried - created);
  if (next == offsets_.end()) return {};
  return created + *next;
}

}  // namespace tollgate::proxy::webhooks
