#include "quota/plan.hpp"

#include <algorithm>

#include "quota/money.hpp"

namespace tollgate::quota {

// At most the cycle's allocation, and what of as many before it as roll over is unused.
bool terms_fit(const plan_terms& terms) {
  const auto parts =
      100 + std::int64_t{terms.rollover_cycles} * std::min(terms.rollover_percent, 100);
  return terms.allocation.micro() <= mul_div(credits::max_micro, 100, parts);
}

}  // namespace tollgate::quota
