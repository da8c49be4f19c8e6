#include "proxy/net/memory_budget.hpp"

#include <algorithm>

namespace tollgate::proxy {

namespace {

// Adds first and looks then: two threads cannot both take the last bytes.
bool take(std::atomic<std::uint64_t>& from, std::uint64_t bytes, std::uint64_t most) {
  if (from.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most) return true;
  from.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

}  // namespace

memory_budget& memory_budget::shared() {
  static memory_budget one;
  return one;
}

std::uint64_t memory_budget::share() const {
  return total() / 4;
}

bool memory_budget::take_buffer(std::uint64_t bytes) {
  const auto all = total();
  return take(buffers_, bytes, std::min(all / 2, all - std::min(all, bodies())));
}

bool memory_budget::take_body(std::uint64_t bytes) {
  const auto all = total();
  return take(bodies_, bytes, all - std::min(all, buffers()));
}

bool memory_budget::take_resolutions(std::uint64_t bytes) {
  if (!take(resolutions_, bytes, share())) return false;
  if (take_body(bytes)) return true;
  resolutions_.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

memory_outcome memory_budget::take_share(const std::string& organization, std::uint64_t bytes,
                                         std::uint64_t of_this_body) {
  const auto most = share();
  if (of_this_body + bytes > most) return memory_outcome::too_large;
  {
    const std::lock_guard lock{mutex_};
    auto& own = shares_[organization];
    if (own + bytes > most) {
      if (own == 0) shares_.erase(organization);
      return memory_outcome::share_taken;
    }
    own += bytes;
  }
  if (take_body(bytes)) return memory_outcome::taken;
  reduce_share(organization, bytes);
  return memory_outcome::full;
}

void memory_budget::give_back_share(const std::string& organization, std::uint64_t bytes) {
  give_back_body(bytes);
  reduce_share(organization, bytes);
}

void memory_budget::reduce_share(const std::string& organization, std::uint64_t bytes) {
  const std::lock_guard lock{mutex_};
  const auto known = shares_.find(organization);
  known->second -= bytes;
  if (known->second == 0) shares_.erase(known);
}

}  // namespace tollgate::proxy
