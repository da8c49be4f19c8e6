// When an event is tried again: pure.
//
// Attempts have fixed distances from the event itself. So events that waited behind one that could
// not be delivered do not begin days of their own: such an event is tried as soon as its turn
// comes, then at the rest of its own times; at least once more, if there is more than one attempt
// at all.
//
// Attempts are spread, so that deliveries that failed together do not return together: each is
// later by up to a tenth of the pause before it (or after it, if that is shorter, so that no
// attempt comes near the next one's time), at random.
#pragma once

#include <optional>
#include <vector>

#include "quota/clock.hpp"

namespace tollgate::proxy::webhooks {

class schedule {
 public:
  // The pauses before each attempt; the first counts from the event.
  explicit schedule(const std::vector<quota::milliseconds>& pauses);

  // After an attempt that began at `tried`, at an event of `created`, or one that could not have
  // been tried earlier than then. `random` says where in its while the attempt is: at its beginning
  // for 0. Nothing: there is none left, the event is a dead letter.
  std::optional<quota::time_point> next_attempt(quota::time_point created, quota::time_point tried,
                                                bool was_the_first, std::uint64_t random) const;

 private:
  quota::milliseconds pause_before(std::size_t attempt) const;
  quota::milliseconds jitter(std::size_t attempt, std::uint64_t random) const;

  std::vector<quota::milliseconds> offsets_;  // from the event; ascending
};

}  // namespace tollgate::proxy::webhooks
