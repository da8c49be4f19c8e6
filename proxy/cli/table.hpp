// Prints answers of the admin API as tables.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/text/json.hpp"

namespace tollgate::proxy {

// A column of a table: its heading, and the member of each row that it shows ("overage/credits" for
// a nested member).
struct column {
  std::string heading, member;
};

// A value as one cell: "-" for null, control characters as "?".
std::string cell_text(const admin::json_value* value);
const admin::json_value* member_at(const admin::json_value& object, std::string_view path);

// Aligned columns, numbers right-aligned; prints "none" without rows.
void print_table(std::ostream& out, const std::vector<column>& columns,
                 const std::vector<admin::json_value>& rows);
// Prints one object, one member per line.
void print_fields(std::ostream& out, const std::vector<column>& fields,
                  const admin::json_value& object);
// Prints the value as JSON on one line, numbers as written.
void print_json(std::ostream& out, const admin::json_value& value);

}  // namespace tollgate::proxy
