// `${NAME}` and `${NAME:-default}` inside values. Substitution happens after the YAML is parsed, so
// the content of a variable is always one value, never structure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "config/environment.hpp"

namespace tollgate::config {

struct substituted {
  std::string text;
  bool from_environment = false;  // contains a variable: may be secret, so not for messages
  bool all_empty = false;         // it contains variables, and all of them are empty
};

struct substitution_error {
  std::string message;
};

// `$$` is an escaped `$`. The default applies if the variable is unset or empty, as in a shell; it
// is literal text up to the next `}`. A variable that is unset and has no default is an error, and
// so is any other `$`.
std::variant<substituted, substitution_error> substitute(std::string_view text,
                                                         const environment& env);

}  // namespace tollgate::config
