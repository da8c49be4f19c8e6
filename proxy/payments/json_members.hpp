// Accessors for members of JSON objects in the answers and events of payment endpoints. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/text/json.hpp"

namespace tollgate::proxy::payments {

using admin::json_value;

// A document that is an object; otherwise empty.
std::optional<json_value> read_object(std::string_view body);
// Empty if there is no such member, or it is not a string.
std::string_view text_at(const json_value& object, std::string_view name);
// Null if there is no such member, or it is not an object.
const json_value* object_at(const json_value& object, std::string_view name);
// Empty if there is no such member, or it is not an integer.
std::optional<std::int64_t> number_at(const json_value& object, std::string_view name);

}  // namespace tollgate::proxy::payments
