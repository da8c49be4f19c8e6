// When an event is tried again: pure.
//
// Attempts stand at fixed distances from the event itself. So events that waited behind one that
// could not be delivered do not begin days of their own, one after the other: such an event is
// tried as soon as its turn comes, and then at what is left of its own times; once more at least,
// if there is to be more than one attempt at all.
//
// What failed together does not come again together: behind each of these times there is a while,
// a tenth of the pause before it (or after it, where that is shorter, so that no attempt comes near
// the next one's time), and the attempt is anywhere in it.
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
