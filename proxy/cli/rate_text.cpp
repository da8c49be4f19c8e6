#include "proxy/cli/rate_text.hpp"

#include <chrono>

#include "config/units.hpp"

namespace tollgate::proxy {

std::string_view name_of(quota::unit unit) {
  switch (unit) {
    case quota::unit::request:
      return "request";
    case quota::unit::query:
      return "query";
    case quota::unit::minute:
      break;
  }
  return "minute";
}

std::string in_words(quota::credits amount) {
  return to_string(amount) + (amount == quota::credits::from_whole(1) ? " credit" : " credits");
}

std::string in_words(const quota::rate& rate) {
  std::string out = rate.name + ": " + in_words(rate.price) + " per ";
  out += name_of(rate.per);
  for (const auto& each : rate.times)
    out += (&each == &rate.times.front() ? ", times " : " or ") + each;
  if (rate.meter == quota::meter_kind::none) return out;
  out +=
      rate.meter == quota::meter_kind::request_audio ? " of request audio" : " of response audio";
  return out + ", in steps of " + config::to_string(std::chrono::microseconds{rate.increment_us});
}

}  // namespace tollgate::proxy
