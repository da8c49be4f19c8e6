// Relations between two patterns that are sequences of symbols, some of which are runs ("any number
// of anything"): globs (characters and `*`) and paths (segments and `**`). Used when routes are
// compiled, never on a request.
#pragma once

#include <cstddef>
#include <vector>

namespace tollgate::routes {

// True if `a` matches everything that `b` matches. May return false where the answer is true (two
// wild symbols that together make a run), never the other way round.
template <class Symbols, class IsRun, class CoversOne>
bool covers_sequence(const Symbols& a, const Symbols& b, IsRun is_run, CoversOne covers_one) {
  // reach[j]: a[i..] covers b[j..], computed backwards.
  std::vector<bool> reach(b.size() + 1, false), next(b.size() + 1, false);
  next[b.size()] = true;
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size() + 1; j-- > 0;) {
      if (is_run(a[i]))
        reach[j] = next[j] || (j < b.size() && reach[j + 1]);
      else
        reach[j] = j < b.size() && !is_run(b[j]) && covers_one(a[i], b[j]) && next[j + 1];
    }
    next = reach;
  }
  return next[0];
}

// False if no text matches both. May return true where the answer is false, never the other way
// round.
template <class Symbols, class IsRun, class OverlapsOne>
bool overlaps_sequence(const Symbols& a, const Symbols& b, IsRun is_run, OverlapsOne overlaps_one) {
  std::vector<bool> reach(b.size() + 1, false), next(b.size() + 1, false);
  for (std::size_t i = a.size() + 1; i-- > 0;) {
    for (std::size_t j = b.size() + 1; j-- > 0;) {
      const bool a_left = i < a.size(), b_left = j < b.size();
      bool possible = !a_left && !b_left;
      if (a_left && is_run(a[i])) possible = possible || next[j] || (b_left && reach[j + 1]);
      if (b_left && is_run(b[j])) possible = possible || reach[j + 1] || (a_left && next[j]);
      if (a_left && b_left && !is_run(a[i]) && !is_run(b[j]))
        possible = overlaps_one(a[i], b[j]) && next[j + 1];
      reach[j] = possible;
    }
    next = reach;
  }
  return next[0];
}

}  // namespace tollgate::routes
