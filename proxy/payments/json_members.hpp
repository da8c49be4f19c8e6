// What the answers and events of payment endpoints are made of: members of JSON objects. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/text/json.hpp"

namespace tollgate::proxy::payments {

using admin::json_value;

// A document that is an object; nothing for any other, or none.
std::optional<json_value> read_object(std::string_view body);
// Empty: there is no such member, or it is no text.
std::string_view text_at(const json_value& object, std::string_view name);
// Null: there is no such member, or it is no object.
const json_value* object_at(const json_value& object, std::string_view name);
// Nothing: there is no such member, or it is no whole number.
std::optional<std::int64_t> number_at(const json_value& object, std::string_view name);

}  // namespace tollgate::proxy::payments
