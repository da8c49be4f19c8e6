#include "quota/grants.hpp"

#include <algorithm>
#include <tuple>

namespace tollgate::quota {

namespace {

auto order(const active_grant& grant) {
  const auto expiry = grant.expires_at == never ? time_point::max() : grant.expires_at;
  return std::tuple{grant.priority, expiry};
}

}  // namespace

int default_priority(std::string_view kind) {
  if (kind == "rollover") return 10;
  if (kind == "allocation" || kind == "promotion") return 30;
  if (kind == "correction") return 40;
  return 50;  // purchase, top_up
}

void insert(grant_list& grants, active_grant grant) {
  const auto place =
      std::upper_bound(grants.begin(), grants.end(), grant,
                       [](const auto& a, const auto& b) { return order(a) < order(b); });
  grants.insert(place, std::move(grant));
}

credits total(const grant_list& grants) {
  credits sum;
  for (const auto& grant : grants) sum += grant.remaining;
  return sum;
}

credits burn(grant_list& grants, credits amount, time_point granted_before) {
  for (auto& grant : grants) {
    if (amount <= credits{}) break;
    if (grant.at >= granted_before) continue;
    const auto taken = std::min(amount, grant.remaining);
    grant.remaining -= taken;
    amount -= taken;
  }
  std::erase_if(grants, [](const auto& grant) { return grant.remaining == credits{}; });
  return amount;
}

}  // namespace tollgate::quota
