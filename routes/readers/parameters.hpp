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
  bool quoted = false;   // if not, some readers end the value at a comma or at another character
                         // outside tokens
  bool escaped = false;  // it contained a backslash; some readers do not support escapes
};

struct parameterized {
  std::string_view value;  // the part before the parameters, trimmed
  std::vector<parameter> parameters;

  // Null if there is no parameter with that name, or more than one.
  const std::string* only(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

// Empty if the text is malformed.
std::optional<parameterized> read_parameters(std::string_view header_value);

}  // namespace tollgate::routes::readers
