// Whether some reader could take a name for one that decides the price.
#pragma once

#include <string>
#include <string_view>

namespace tollgate::routes {

// What readers may leave of a name: no upper case, and no blanks, `_` and `-`, which those that
// turn best_of into bestOf do not tell apart. For a name in printable ASCII.
std::string skeleton(std::string_view name);

// Whether some reader could take `written` for the name with the skeleton `wanted`, which is ASCII.
// Readers differ in letter case (Go, Java), in characters that fold to a letter or to none at all
// (Go, and readers that normalise), in the treatment of NUL (where C ends a name) and of other
// controls and blanks. `__proto__` is any name: its members become those of the object where
// JavaScript copies it. `cut`: the name continues, and the rest was not kept.
bool may_be_taken_for(std::string_view written, std::string_view wanted, bool cut = false);

}  // namespace tollgate::routes
