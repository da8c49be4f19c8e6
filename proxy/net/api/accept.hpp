// Chooses the representation of an answer by Accept (RFC 9110, 12.5.1).
#pragma once

#include <initializer_list>
#include <string_view>

namespace tollgate::proxy::admin {

// The index of the best of `offers` ("text/csv"), which are in our order of preference. Of two with
// equal weight the more precise match wins, then the first: "*/*" selects the first, and
// "text/csv, */*" the CSV. If none is acceptable, the first is used, too: an answer in another
// format is more useful than none. Parameters of a media range other than its weight are ignored,
// and so are malformed ranges.
std::size_t best_of(std::string_view accept, std::initializer_list<std::string_view> offers);

}  // namespace tollgate::proxy::admin
