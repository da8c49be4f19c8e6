#include "proxy/net/address_memory.hpp"

#include <algorithm>

namespace tollgate::proxy {

namespace {

using endpoint = address_memory::endpoint;

std::vector<endpoint> alternating(const std::vector<endpoint>& found) {
  if (found.empty()) return {};
  std::vector<endpoint> out, others;
  const auto first = found.front().protocol();
  for (const auto& each : found) (each.protocol() == first ? out : others).push_back(each);
  for (std::size_t i = 0; i < others.size(); ++i) {
    const auto place = std::min(2 * i + 1, out.size());
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(place), others[i]);
  }
  return out;
}

}  // namespace

std::vector<endpoint> address_memory::in_order(const std::vector<endpoint>& found, time now) const {
  auto out = alternating(found);
  if (resting_.empty()) return out;
  std::stable_partition(out.begin(), out.end(), [&](const endpoint& each) {
    const auto known = resting_.find(each);
    return known == resting_.end() || known->second.until <= now;
  });
  return out;
}

void address_memory::did_not_answer(const endpoint& which, time now) {
  const auto known = resting_.find(which);
  if (known == resting_.end()) {
    if (resting_.size() >= most_addresses) resting_.clear();
    resting_.emplace(which, rest{now + first_rest, first_rest});
  } else if (known->second.until <= now) {
    auto& [until, length] = known->second;
    length = std::min(2 * length, longest_rest);
    until = now + length;
  }
}

}  // namespace tollgate::proxy
