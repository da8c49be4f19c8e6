// When to try an event again. Pure.
//
// The times of attempts are relative to the event. So events that waited behind an undeliverable
// one do not get days of attempts of their own: such an event is tried as soon as its turn comes,
// then at its remaining times, and at least once more if there is more than one attempt at all.
//
// Attempts are spread, so that deliveries that failed together are not repeated together. Each is
// delayed at random by up to a tenth of the pause before it (or after it, if that is shorter, so
// that no attempt comes near the next one's time).
#pragma once

#include <optional>
#include <vector>

#include "quota/clock.hpp"

namespace tollgate::proxy::webhooks {

class schedule {
 public:
  // The pauses before each attempt; the first counts from the event.
  explicit schedule(const std::vector<quota::milliseconds>& pauses);

  // After an attempt that began at `tried`, for an event created at `created` (or one that could
  // not be tried before then). `random` selects the delay; 0 means none. Nullopt: no attempt is
  // left, the event is a dead letter.
  std::optional<quota::time_point> next_attempt(quota::time_point created, quota::time_point tried,
                                                bool was_the_first, std::uint64_t random) const;

 private:
  quota::milliseconds pause_before(std::size_t attempt) const;
  quota::milliseconds jitter(std::size_t attempt, std::uint64_t random) const;

  std::vector<quota::milliseconds> offsets_;  // from the event; ascending
};

}  // namespace tollgate::proxy::webhooks
