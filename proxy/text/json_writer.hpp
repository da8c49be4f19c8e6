// Writes JSON: members in the order of the calls, credits as exact decimals.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "quota/credits.hpp"

namespace tollgate::proxy::admin {

class json_writer {
 public:
  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }

  json_writer& key(std::string_view name);
  json_writer& string(std::string_view text);
  json_writer& boolean(bool truth) { return raw(truth ? "true" : "false"); }
  json_writer& null() { return raw("null"); }
  json_writer& number(quota::credits amount) { return raw(quota::to_string(amount)); }
  json_writer& number(std::integral auto value) { return raw(std::to_string(value)); }
  json_writer& usd(std::int64_t cents);     // dollars, exact: 24.69
  json_writer& raw(std::string_view json);  // a complete JSON value

  // Null for an empty text: "not given".
  json_writer& string_or_null(std::string_view text) {
    return text.empty() ? null() : string(text);
  }

  std::string take() { return std::move(out_); }

 private:
  json_writer& open(char bracket);
  json_writer& close(char bracket);
  void separate();

  std::string out_;
  bool comma_ = false;  // a comma is due before the next value
};

}  // namespace tollgate::proxy::admin
