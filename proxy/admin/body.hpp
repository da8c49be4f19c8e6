// Reading the JSON object that a PUT or POST brings, strictly: what is not understood is refused,
// never ignored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/admin/json.hpp"
#include "proxy/admin/message.hpp"
#include "quota/credits.hpp"

namespace tollgate::proxy::admin {

struct body_fields {
  std::vector<std::string> known;
  // Fields of the contract that this version does not act on yet, and why.
  std::vector<std::pair<std::string_view, std::string_view>> unsupported;
};

// An empty body reads as {}.
checked<json_value> read_body(const api_request& request, const body_fields& fields);

// The field's value, when it is given and not null.
checked<std::optional<std::string>> text_field(const json_value& body, std::string_view name,
                                               std::size_t max_bytes);
checked<std::optional<bool>> boolean_field(const json_value& body, std::string_view name);
// A JSON number, or a string of the same digits. Never through a double: 0.1 is exactly 0.1.
checked<std::optional<quota::credits>> credits_field(const json_value& body, std::string_view name);

}  // namespace tollgate::proxy::admin
