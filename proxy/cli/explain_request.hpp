// Makes the request for `tollgate explain` from curl's arguments.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/cli/explain.hpp"
#include "routes/classify.hpp"

namespace tollgate::proxy {

struct asked_request {
  std::string method, target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;
  std::vector<std::string> notes;  // assumptions

  bool has(std::string_view header) const;
};

struct usage_error {
  std::string message;
};

// Reads at most `most_body` + 1 bytes of a body.
std::variant<asked_request, usage_error> make_request(const explain_options& options,
                                                      std::size_t most_body);

}  // namespace tollgate::proxy
