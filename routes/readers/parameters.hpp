// The parameters of a header value: `form-data; name="file"; filename=a.mp3` (RFC 2045, 5.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::routes::readers {

struct parameter {
  std::string name;      // in lower case
  std::string value;     // without quotes and escapes
  bool quoted = false;   // else some readers end it at a comma, or at what else is no token
  bool escaped = false;  // a backslash stood in it, which not all readers know
};

struct parameterized {
  std::string_view value;  // what stands in front of the parameters, blanks cut off
  std::vector<parameter> parameters;

  // Null when there is none of that name, or more than one.
  const std::string* only(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

// Nothing when the text is malformed.
std::optional<parameterized> read_parameters(std::string_view header_value);

}  // namespace tollgate::routes::readers
