// Reads the JSON object of a PUT or POST strictly: unknown content is refused, never ignored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/api/message.hpp"
#include "proxy/text/json.hpp"
#include "quota/credits.hpp"

namespace tollgate::proxy::admin {

struct body_fields {
  std::vector<std::string> known;
  // Fields of the contract that this version does not support yet, and the reason.
  std::vector<std::pair<std::string_view, std::string_view>> unsupported;
};

// An empty body reads as {}.
checked<json_value> read_body(const api_request& request, const body_fields& fields);

// The field exists and is null, which means "none" in some fields.
bool is_null(const json_value& body, std::string_view name);
// The object in a field, with its members checked in the same way; a null pointer if it is missing
// or null.
checked<const json_value*> object_field(const json_value& body, std::string_view name,
                                        const body_fields& fields);
// The list in a field. Its elements are not checked.
checked<const json_value*> list_field(const json_value& body, std::string_view name);
std::optional<api_error> refuse_unknown(const json_value& object, const body_fields& fields);
// Adds the path to an error in a member of `where`: "auto_top_up.amount_usd".
api_error inside(std::string_view where, api_error error);

// The field's value, if it is given and not null.
checked<std::optional<std::string>> text_field(const json_value& body, std::string_view name,
                                               std::size_t max_bytes);
checked<std::optional<bool>> boolean_field(const json_value& body, std::string_view name);
// A JSON number, or a string with the same digits. Never converted to a double: 0.1 is exactly 0.1.
checked<std::optional<quota::credits>> credits_field(const json_value& body, std::string_view name);
// The same, but not negative.
checked<std::optional<quota::credits>> amount_field(const json_value& body, std::string_view name);
// Dollars, not negative, as an integer: with 2 places in cents, with 6 in millionths.
checked<std::optional<std::int64_t>> usd_field(const json_value& body, std::string_view name,
                                               int places, std::int64_t most);
checked<std::optional<std::int64_t>> whole_field(const json_value& body, std::string_view name,
                                                 std::int64_t low, std::int64_t high);

}  // namespace tollgate::proxy::admin
