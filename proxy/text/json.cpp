#include "proxy/text/json.hpp"

#include <simdjson.h>

#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace ondemand = simdjson::ondemand;
using json_result = boost::system::result<json_value, json_error>;

constexpr int max_depth = 16;

json_error syntax_error(simdjson::error_code code) {
  return {std::string{"invalid JSON: "} + simdjson::error_message(code)};
}

std::string_view without_trailing_space(std::string_view token) {
  const auto end = token.find_last_not_of(" \t\r\n");
  return end == token.npos ? std::string_view{} : token.substr(0, end + 1);
}

// simdjson throws simdjson_error on malformed input; read_json turns that into a json_error.
// Value is ondemand::value, or ondemand::document for a scalar at the root.
template <class Value>
void read_scalar(Value& source, json_value& out) {
  switch (ondemand::json_type{source.type()}) {
    case ondemand::json_type::number:
      out.type = json_value::kind::number;
      out.text = without_trailing_space(std::string_view{source.raw_json_token()});
      (void)double{source.get_double()};  // moves on to the next token
      break;
    case ondemand::json_type::string:
      out.type = json_value::kind::string;
      out.text = std::string_view{source.get_string()};
      break;
    case ondemand::json_type::boolean:
      out.type = json_value::kind::boolean;
      out.truth = bool{source.get_bool()};
      break;
    default:
      if (!bool{source.is_null()}) throw simdjson::simdjson_error{simdjson::N_ATOM_ERROR};
      out.type = json_value::kind::null;
  }
}

void read_value(ondemand::value source, json_value& out, int depth);

void read_object(ondemand::object source, json_value& out, int depth) {
  out.type = json_value::kind::object;
  for (auto field : source) {
    std::string name{std::string_view{field.unescaped_key()}};
    if (out.find(name) != nullptr) throw json_error{routes::shown(name) + " is duplicated"};
    auto& member = out.members.emplace_back(std::move(name), json_value{}).second;
    read_value(field.value(), member, depth + 1);
  }
}

void read_array(ondemand::array source, json_value& out, int depth) {
  out.type = json_value::kind::array;
  for (auto element : source) read_value(element.value(), out.elements.emplace_back(), depth + 1);
}

void read_value(ondemand::value source, json_value& out, int depth) {
  if (depth > max_depth) throw json_error{"the JSON is nested too deeply"};
  switch (ondemand::json_type{source.type()}) {
    case ondemand::json_type::object:
      return read_object(source.get_object(), out, depth);
    case ondemand::json_type::array:
      return read_array(source.get_array(), out, depth);
    default:
      return read_scalar(source, out);
  }
}

json_value read_document(std::string_view text) {
  const simdjson::padded_string padded{text};
  // On-demand parsing checks only what it reads; this checks the whole document.
  simdjson::dom::parser validator;
  if (const auto code = validator.parse(padded).error()) throw simdjson::simdjson_error{code};
  ondemand::parser parser;
  ondemand::document document = parser.iterate(padded);
  json_value root;
  switch (ondemand::json_type{document.type()}) {
    case ondemand::json_type::object:
      read_object(document.get_object(), root, 1);
      break;
    case ondemand::json_type::array:
      read_array(document.get_array(), root, 1);
      break;
    default:
      read_scalar(document, root);
  }
  return root;
}

}  // namespace

const json_value* json_value::find(std::string_view name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string_view json_value::describe() const {
  switch (type) {
    case kind::null:
      return "null";
    case kind::boolean:
      return truth ? "true" : "false";
    case kind::number:
      return "a number";
    case kind::string:
      return "a string";
    case kind::array:
      return "an array";
    case kind::object:
      return "an object";
  }
  return "something else";
}

boost::system::result<json_value, json_error> read_json(std::string_view text) {
  try {
    return read_document(text);
  } catch (const json_error& error) {
    return error;
  } catch (const simdjson::simdjson_error& error) {
    return syntax_error(error.error());
  }
}

}  // namespace tollgate::proxy::admin
