// How much of a route's unit a call uses, as far as it is known before it is forwarded.
#pragma once

#include <cstdint>
#include <optional>

#include "quota/rate_card.hpp"
#include "routes/reading.hpp"
#include "routes/settings.hpp"

namespace tollgate::routes {

// Exact for requests and queries. A request is one request. A batch of queries is as many queries
// as the array `told` has elements: an empty one, and none, is one query.
//
// Seconds of audio are metered as they pass, so this is only the first hold. For an answer: the
// time to speak the text `told`. For an upload: the least that one can cost.
quota::usage estimate(const quota::rate& rate, const audio_settings& audio, const reading& told);

// The number of answers that a member (`n`) asks for; 1 if it is absent. Nullopt if it is not a
// whole number from 1 to `most_times`, written as a number: some readers take "3", true or 2.5 for
// another.
inline constexpr std::int64_t most_times = 1'000;
std::optional<std::int64_t> times_of(const reading& said);

}  // namespace tollgate::routes
