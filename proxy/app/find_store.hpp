// Opens the store of a configuration for commands that access it directly.
#pragma once

#include "proxy/cli/store_finder.hpp"

namespace tollgate::proxy {

std::variant<quota::store_opener, store_failure> find_store(const std::string& url,
                                                            quota::store_access access);

}  // namespace tollgate::proxy
