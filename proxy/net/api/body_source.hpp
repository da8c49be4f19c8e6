// A body that is made while it is sent, by whoever answers; the server drives it.
#pragma once

#include <optional>
#include <string>

#include "quota/task.hpp"

namespace tollgate::proxy::admin {

class body_source {
 public:
  virtual ~body_source() = default;

  // Waits for the next piece, for a second at most: an empty one means that nothing has happened,
  // and is the time to look whether the reader is still welcome. Nothing: the body ends here.
  virtual task<std::optional<std::string>> next() = 0;
  // The reader has left, or is to go: next() answers nothing from here on, also one that waits.
  virtual void end() = 0;
};

}  // namespace tollgate::proxy::admin
