// The location of the store, from `store` in the configuration.
#pragma once

#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {

struct store_url {
  address where;          // a server that already runs
  std::string directory;  // an embedded store; empty: not embedded

  bool is_embedded() const { return !directory.empty(); }
};

// redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE], unix://PATH[?db=N], embedded:DIRECTORY. The
// error describes the fault without the password.
boost::system::result<store_url, std::string> parse_store_url(std::string_view text);

}  // namespace tollgate::quota::redis
