// Whether a name that a caller wrote could be taken for the name of something that decides the
// price.
#pragma once

#include <string>
#include <string_view>

namespace tollgate::routes {

// What readers may leave of a name: no upper case, and no blanks, `_` and `-`, which those that
// turn best_of into bestOf do not tell apart. For a name in printable ASCII.
std::string skeleton(std::string_view name);

// Whether some reader could take `written` for the name with the skeleton `wanted`, which is ASCII.
// Readers differ in letter case (Go, Java), in characters that fold to a letter or to none at all
// (Go, and whoever normalises), in what becomes of NUL (where C ends a name) and of other controls
// and blanks. `__proto__` is any name: what it holds becomes a member in JavaScript where an object
// is copied. `cut`: the name goes on, and nobody kept how.
bool may_be_taken_for(std::string_view written, std::string_view wanted, bool cut = false);

}  // namespace tollgate::routes
