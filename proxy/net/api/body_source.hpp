// A body that is produced while it is sent. The server drives it.
#pragma once

#include <optional>
#include <string>

#include "quota/task.hpp"

namespace tollgate::proxy::admin {

class body_source {
 public:
  virtual ~body_source() = default;

  // Waits for the next piece, at most a second. An empty piece means that nothing has happened; the
  // server then checks whether the reader is still authorized. Nullopt: the body ends.
  virtual task<std::optional<std::string>> next() = 0;
  // The reader has left or must leave: from now on next() returns nullopt, including a call that is
  // waiting.
  virtual void end() = 0;
};

}  // namespace tollgate::proxy::admin
