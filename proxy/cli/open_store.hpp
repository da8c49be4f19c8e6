// The store of a configuration, for commands that look into it themselves.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "quota/redis/embedded_server.hpp"

namespace tollgate::proxy {

struct store_failure {
  std::string message;
  int exit_code = 1;
};

// A running store: an external one, that of a running Tollgate, or one started for this command.
struct open_store {
  quota::redis::address where;
  std::unique_ptr<quota::redis::embedded_server> own;
};

std::variant<open_store, store_failure> find_store(const std::string& url);

}  // namespace tollgate::proxy
