// Estimates the usage of a call before it is forwarded.
#pragma once

#include <cstdint>
#include <optional>

#include "quota/rate_card.hpp"
#include "routes/reading.hpp"
#include "routes/settings.hpp"

namespace tollgate::routes {

// Exact for requests and queries. A request is one request. A batch of queries has as many queries
// as the array `told` has elements; an empty array, or none, is one query.
//
// Seconds of audio are metered as they pass, so for them this is only the first hold. For an
// answer: the time to speak the text `told`. For an upload: the minimum that an upload can cost.
quota::usage estimate(const quota::rate& rate, const audio_settings& audio, const reading& told);

// The number of answers that a member (`n`) requests; 1 if it is absent. Nullopt unless it is a
// JSON number, whole, from 1 to `most_times`: some readers interpret "3", true or 2.5 differently.
inline constexpr std::int64_t most_times = 1'000;
std::optional<std::int64_t> times_of(const reading& said);

}  // namespace tollgate::routes
