// Whether some reader could take a name for one that determines the price.
#pragma once

#include <string>
#include <string_view>

namespace tollgate::routes {

// The part of a name that all readers preserve: no upper case, no blanks, `_` or `-`, because
// readers that turn best_of into bestOf do not distinguish these. For names in printable ASCII.
std::string skeleton(std::string_view name);

// Whether some reader could take `written` for the name with the skeleton `wanted`, which is ASCII.
// Readers differ in letter case (Go, Java), in characters that fold to a letter or to nothing (Go,
// and readers that normalise), and in how they treat NUL (the end of a name in C), other controls
// and blanks. `__proto__` counts as any name: where JavaScript copies it, its members become those
// of the object. `cut`: the name continues, and the rest was not kept.
bool may_be_taken_for(std::string_view written, std::string_view wanted, bool cut = false);

}  // namespace tollgate::routes
