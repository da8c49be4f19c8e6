#include "quota/plan.hpp"

#include <algorithm>

#include "quota/money.hpp"

namespace tollgate::quota {

// The maximum is the cycle's allocation, and the unused part of as many earlier ones as roll over.
bool terms_fit(const plan_terms& terms) {
  const auto parts =
      100 + std::int64_t{terms.rollover_cycles} * std::min(terms.rollover_percent, 100);
  return terms.allocation.micro() <= mul_div(credits::max_micro, 100, parts);
}

}  // namespace tollgate::quota
