#include "proxy/net/api/body.hpp"

#include <algorithm>

#include "config/units.hpp"
#include "proxy/text/text.hpp"
#include "routes/suggest.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

bool is_json(std::string_view content_type) {
  const auto media_type = content_type.substr(0, content_type.find_first_of("; \t"));
  return media_type.empty() || routes::equal_ignoring_case(media_type, "application/json");
}

std::optional<api_error> refuse_field(const std::string& name, const body_fields& fields) {
  for (const auto& [unsupported, why] : fields.unsupported) {
    if (name == unsupported) {
      return invalid(name + " is not supported yet: " + std::string{why}, name);
    }
  }
  if (std::find(fields.known.begin(), fields.known.end(), name) != fields.known.end()) return {};
  return invalid("unknown field " + routes::shown(name) + routes::did_you_mean(name, fields.known),
                 routes::shortened(name));
}

const json_value* given(const json_value& body, std::string_view name) {
  const auto* value = body.find(name);
  return value != nullptr && !value->is(json_value::kind::null) ? value : nullptr;
}

api_error wrong_type(std::string_view name, std::string_view wanted, const json_value& value) {
  return invalid(
      std::string{name} + " is " + std::string{wanted} + ", not " + std::string{value.describe()},
      std::string{name});
}

}  // namespace

checked<json_value> read_body(const api_request& request, const body_fields& fields) {
  if (!request.body.empty() && !is_json(request.content_type)) {
    return api_error{
        .status = 415,
        .code = "unsupported_media_type",
        .message = "the body must be JSON with Content-Type: application/json (curl: --json)",
        .param = {},
        .retry_after = {},
        .allow = {}};
  }
  auto body = read_json(request.body.empty() ? "{}" : std::string_view{request.body});
  if (!body) return invalid(body.error().message);
  if (!body->is(json_value::kind::object)) {
    return invalid("the body must be a JSON object, not " + std::string{body->describe()});
  }
  if (auto error = refuse_unknown(*body, fields)) return *std::move(error);
  return std::move(*body);
}

std::optional<api_error> refuse_unknown(const json_value& object, const body_fields& fields) {
  for (const auto& [name, value] : object.members) {
    if (auto error = refuse_field(name, fields)) return error;
  }
  return {};
}

api_error inside(std::string_view where, api_error error) {
  error.message = std::string{where} + ": " + error.message;
  error.param = std::string{where} + (error.param.empty() ? "" : "." + error.param);
  return error;
}

bool is_null(const json_value& body, std::string_view name) {
  const auto* value = body.find(name);
  return value != nullptr && value->is(json_value::kind::null);
}

checked<const json_value*> object_field(const json_value& body, std::string_view name,
                                        const body_fields& fields) {
  const auto* value = given(body, name);
  if (value == nullptr) return value;
  if (!value->is(json_value::kind::object)) return wrong_type(name, "an object", *value);
  if (auto error = refuse_unknown(*value, fields)) return inside(name, *std::move(error));
  return value;
}

checked<const json_value*> list_field(const json_value& body, std::string_view name) {
  const auto* value = given(body, name);
  if (value != nullptr && !value->is(json_value::kind::array)) {
    return wrong_type(name, "an array", *value);
  }
  return value;
}

checked<std::optional<std::string>> text_field(const json_value& body, std::string_view name,
                                               std::size_t max_bytes) {
  const auto* value = given(body, name);
  if (value == nullptr) return std::optional<std::string>{};
  if (!value->is(json_value::kind::string)) return wrong_type(name, "a string", *value);
  if (!is_plain_text(value->text, max_bytes)) {
    return invalid(std::string{name} + " is at most " + std::to_string(max_bytes) +
                       " bytes without control characters",
                   std::string{name});
  }
  return std::optional{value->text};
}

checked<std::optional<bool>> boolean_field(const json_value& body, std::string_view name) {
  const auto* value = given(body, name);
  if (value == nullptr) return std::optional<bool>{};
  if (!value->is(json_value::kind::boolean)) return wrong_type(name, "true or false", *value);
  return std::optional{value->truth};
}

checked<std::optional<quota::credits>> credits_field(const json_value& body,
                                                     std::string_view name) {
  const auto* value = given(body, name);
  if (value == nullptr) return std::optional<quota::credits>{};
  if (!value->is(json_value::kind::number) && !value->is(json_value::kind::string)) {
    return wrong_type(name, "a number", *value);
  }
  const auto amount = quota::parse_credits(value->text);
  if (amount) return std::optional{*amount};
  return invalid(std::string{name} +
                     " must be a decimal number of credits without exponent, with at most six "
                     "decimals, up to 4000000000",
                 std::string{name});
}

checked<std::optional<quota::credits>> amount_field(const json_value& body, std::string_view name) {
  auto amount = credits_field(body, name);
  if (!amount || !*amount || **amount >= quota::credits{}) return amount;
  return invalid(std::string{name} + " cannot be negative", std::string{name});
}

checked<std::optional<std::int64_t>> usd_field(const json_value& body, std::string_view name,
                                               int places, std::int64_t most) {
  const auto* value = given(body, name);
  if (value == nullptr) return std::optional<std::int64_t>{};
  if (!value->is(json_value::kind::number) && !value->is(json_value::kind::string)) {
    return wrong_type(name, "a number of dollars", *value);
  }
  const auto amount = config::parse_decimal(value->text, places);
  if (amount && *amount <= most) return std::optional{*amount};
  auto limit = most;
  for (int i = 0; i < places; ++i) limit /= 10;
  return invalid(std::string{name} +
                     " must be a decimal number of dollars without exponent, with at most " +
                     std::to_string(places) + " decimals, from 0 to " + std::to_string(limit),
                 std::string{name});
}

checked<std::optional<std::int64_t>> whole_field(const json_value& body, std::string_view name,
                                                 std::int64_t low, std::int64_t high) {
  const auto* value = given(body, name);
  if (value == nullptr) return std::optional<std::int64_t>{};
  if (!value->is(json_value::kind::number)) return wrong_type(name, "a whole number", *value);
  const auto number = config::parse_decimal(value->text, 0);
  if (number && *number >= low && *number <= high) return std::optional{*number};
  return invalid(std::string{name} + " must be a whole number from " + std::to_string(low) +
                     " to " + std::to_string(high),
                 std::string{name});
}

}  // namespace tollgate::proxy::admin
