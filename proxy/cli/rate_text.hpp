// A rate in words.
#pragma once

#include <string>
#include <string_view>

#include "quota/rate_card.hpp"

namespace tollgate::proxy {

std::string_view name_of(quota::unit unit);

std::string in_words(quota::credits amount);
// "tts: 5 credits per minute of response audio, in steps of 1s".
std::string in_words(const quota::rate& rate);

}  // namespace tollgate::proxy
