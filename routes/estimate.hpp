// How much of a route's unit a call uses at most, known before it is forwarded.
#pragma once

#include "quota/rate_card.hpp"
#include "routes/reading.hpp"

namespace tollgate::routes {

// A request is one request. A batch of queries is as many queries as the array `counted` has
// elements: an empty one, and anything that is not an array, is one query.
quota::usage estimate(const quota::rate& rate, const reading& counted);

// Seconds of audio have no meter yet, so no bound can be given: such a call must not be forwarded.
bool is_measurable(const quota::rate& rate);

}  // namespace tollgate::routes
