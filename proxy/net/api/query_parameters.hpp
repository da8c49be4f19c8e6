// The parameters of a request's query.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/net/api/message.hpp"

namespace tollgate::proxy::admin {

// Decoded. Refuses names that are not in `known`, and duplicates unless they are `repeatable`. An
// empty parameter counts as not given: "?after=&limit=" requests the first page. Only `all` returns
// empty ones.
class query_parameters {
 public:
  static checked<query_parameters> parse(std::string_view query,
                                         const std::vector<std::string>& known,
                                         const std::vector<std::string>& repeatable = {});
  std::optional<std::string_view> find(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;  // in their original order

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace tollgate::proxy::admin
