// The address of the store. Parsed by parse_store_url (store_url.hpp) from redis:// and unix://
// URLs; `embedded:DIR` becomes a unix socket once its server runs.
#pragma once

#include <string>

namespace tollgate::quota::redis {

struct address {
  std::string unix_path;  // not empty: a unix socket
  std::string host = "127.0.0.1";
  std::string port = "6379";
  std::string username, password;
  int database = 0;

  std::string text() const { return unix_path.empty() ? host + ":" + port : unix_path; }
};

}  // namespace tollgate::quota::redis
