// Where the store is, as the configuration's `store` says it.
#pragma once

#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {

struct store_url {
  address where;          // of a server that runs already
  std::string directory;  // of an embedded one; empty: not embedded

  bool is_embedded() const { return !directory.empty(); }
};

// redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE], unix://PATH[?db=N], embedded:DIRECTORY. The
// error says what is wrong, without the password.
boost::system::result<store_url, std::string> parse_store_url(std::string_view text);

}  // namespace tollgate::quota::redis
