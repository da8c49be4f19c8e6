#include "routes/reading.hpp"

#include <algorithm>

#include "routes/text.hpp"

namespace tollgate::routes {

reading reading::of(std::string text) {
  reading out;
  out.is = state::present;
  out.folded = fold(text);
  out.certain = is_certain(text);
  out.text = std::move(text);
  return out;
}

reading reading::uncertain(std::string why) {
  reading out;
  out.is = state::ambiguous;
  out.text = std::move(why);
  return out;
}

test_result test(const reading& value, const std::vector<glob>& any_of) {
  if (value.is == reading::state::ambiguous) return test_result::ambiguous;
  if (value.is == reading::state::absent || value.null) return test_result::misses;
  const auto takes_all = [](const glob& g) { return g.matches_anything(); };
  if (std::any_of(any_of.begin(), any_of.end(), takes_all)) return test_result::matches;
  if (!value.scalar) return test_result::misses;
  if (!value.certain) return test_result::ambiguous;
  return matches_any(any_of, value.folded) ? test_result::matches : test_result::misses;
}

}  // namespace tollgate::routes
