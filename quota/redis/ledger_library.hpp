// The ledger's Redis Function library: its name, its text, and how a connection loads it.
#pragma once

#include <string>
#include <string_view>

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
  const std::string& text() const { return text_; }  // the argument of FUNCTION LOAD
  // Whether the store has it after this reply to FUNCTION LOAD.
  static bool is_loaded(const redisReply& reply);

 private:
  std::string name_, read_only_, usual_, text_;
};

// Whether an error reply says that the store does not have the function.
bool is_unknown_function(std::string_view error);
// Whether it says that the store takes no writes now. An operation that changes nothing needs no
// write.
bool takes_no_writes(std::string_view error);

// Loads the library unless the store has it: another sidecar may load it at the same time, and an
// administrator may have loaded it where this user may not.
task<result<void>> load_ledger_library(connection& connection);

}  // namespace tollgate::quota::redis
