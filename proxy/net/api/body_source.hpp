// A body that is produced while it is sent. The server drives it.
#pragma once

#include <optional>
#include <string>

#include "quota/task.hpp"

namespace tollgate::proxy::admin {

class body_source {
 public:
  virtual ~body_source() = default;

  // Waits for the next piece, at most a second. An empty one means that nothing has happened; the
  // server then checks whether the reader is still authorized. Nullopt: the body ends here.
  virtual task<std::optional<std::string>> next() = 0;
  // The reader has left, or must leave: next() returns nullopt from here on, also one that waits.
  virtual void end() = 0;
};

}  // namespace tollgate::proxy::admin
