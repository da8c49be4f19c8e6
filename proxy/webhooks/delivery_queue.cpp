#include "proxy/webhooks/delivery_queue.hpp"

#include <algorithm>

namespace tollgate::proxy::webhooks {

std::optional<recipient> delivery_queue::begin_next() {
  if (busy_.size() >= places_.all) return {};
  const auto may_begin = [&](const recipient& to) {
    std::size_t busy = 0;
    auto at = busy_.lower_bound({to.first, ""});
    for (; at != busy_.end() && at->first.first == to.first; ++at) ++busy;
    return busy < places_.of_one_org;
  };
  const auto found = std::ranges::find_if(queue_, may_begin);
  if (found == queue_.end()) return {};
  auto next = std::move(*found);
  queue_.erase(found);
  waiting_.erase(next);
  busy_[next] = false;
  return next;
}

}  // namespace tollgate::proxy::webhooks
