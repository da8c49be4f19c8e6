// The ledger's Redis Function library: its name, its text, and how a connection loads it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quota/task.hpp"

struct redisReply;

namespace tollgate::quota::redis {

class connection;

// The name depends on the text, so that two versions of Tollgate work side by side on one store.
class ledger_library {
 public:
  explicit ledger_library(std::string_view modules);
  static const ledger_library& current();
  // Its modules as they were built, without a name.
  static std::string_view modules();

  const std::string& name() const { return name_; }  // also of the function that applies operations
  const std::string& read_only_name() const { return read_only_; }
  const std::string& usual_name() const { return usual_; }
  const std::string& check_name() const { return check_; }
  const std::string& text() const { return text_; }  // the argument of FUNCTION LOAD
  // Whether the store has it after this reply to FUNCTION LOAD.
  static bool is_loaded(const redisReply& reply);

 private:
  std::string name_, read_only_, usual_, check_, text_;
};

// Loads the library unless the store has it: another sidecar may load it at the same time, and an
// administrator may have loaded it where this user may not.
task<result<void>> load_ledger_library(connection& connection);

// A call of the library that changes nothing, and is refused wherever one that changes something
// would be: because of the server's state, of the user's permissions, or of a missing library.
// Answers the store's time in milliseconds.
std::vector<std::string> ledger_check_command();

}  // namespace tollgate::quota::redis
