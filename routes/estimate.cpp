#include "routes/estimate.hpp"

#include <algorithm>

namespace tollgate::routes {

quota::usage estimate(const quota::rate& rate, const reading& counted) {
  if (rate.per != quota::unit::query) return {1};
  return {std::max<std::int64_t>(1, static_cast<std::int64_t>(counted.elements))};
}

bool is_measurable(const quota::rate& rate) {
  return rate.per != quota::unit::minute && rate.meter == quota::meter_kind::none;
}

}  // namespace tollgate::routes
