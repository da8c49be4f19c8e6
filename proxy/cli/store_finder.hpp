// How commands access the store of a configuration.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "quota/store.hpp"
#include "quota/store_access.hpp"

namespace tollgate::proxy {

struct store_failure {
  std::string message;
  int exit_code = 1;
};

// A running store: an external one, that of a running Tollgate, or one started for this command,
// which runs as long as the opener exists.
using store_finder = std::function<std::variant<quota::store_opener, store_failure>(
    const std::string& url, quota::store_access access)>;

}  // namespace tollgate::proxy
