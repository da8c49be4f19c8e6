// Reads JSON from admin clients, and in the command line from the admin API: small documents, read
// whole. Numbers keep their source text, so that 0.1 credits is exactly 0.1.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/system/result.hpp>

namespace tollgate::proxy::admin {

struct json_value {
  enum class kind : std::uint8_t { null, boolean, number, string, array, object };

  kind type = kind::null;
  bool truth = false;
  std::string text;  // a number as written, or a string's content
  std::vector<json_value> elements;
  std::vector<std::pair<std::string, json_value>> members;  // in order; names are unique

  const json_value* find(std::string_view name) const;
  bool is(kind other) const { return type == other; }
  // "a string", "an object", ...: for messages.
  std::string_view describe() const;
};

struct json_error {
  std::string message;
};

// Strict: one complete document in UTF-8, no duplicate names in an object, at most 16 levels deep.
boost::system::result<json_value, json_error> read_json(std::string_view text);

}  // namespace tollgate::proxy::admin
