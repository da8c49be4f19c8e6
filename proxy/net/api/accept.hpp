// Chooses the representation of an answer by Accept (RFC 9110, 12.5.1).
#pragma once

#include <initializer_list>
#include <string_view>

namespace tollgate::proxy::admin {

// The place of the best of `offers` ("text/csv"), which stand in our own order of preference. Of
// two that are wanted alike the one that is named more exactly is better, then the one that stands
// first:
// "*/*" gets the first, "text/csv, */*" the CSV. Where none is acceptable it is the first, too: an
// answer in another form helps more than none. Parameters of a media range other than its weight do
// not count, and what is malformed is as if it were not there.
std::size_t best_of(std::string_view accept, std::initializer_list<std::string_view> offers);

}  // namespace tollgate::proxy::admin
