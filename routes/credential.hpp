// Reads the API key that a caller sends: `Authorization: Bearer KEY` or `x-api-key: KEY`.
#pragma once

#include <string_view>
#include <variant>

#include "routes/classify.hpp"

namespace tollgate::routes {

// Returns the key's text (a view into the request), or missing_api_key / invalid_api_key /
// invalid_request. Two different credentials are refused (400): the payer is ambiguous.
std::variant<std::string_view, problem> read_credential(const request_view& request);

}  // namespace tollgate::routes
