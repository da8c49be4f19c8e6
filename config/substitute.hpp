// `${NAME}` and `${NAME:-default}` inside values. Substituted after the YAML is parsed, so the
// content of a variable is always one value, never structure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "config/environment.hpp"

namespace tollgate::config {

struct substituted {
  std::string text;
  bool from_environment =
      false;               // a variable took part: the text may be secret, keep it out of messages
  bool all_empty = false;  // every variable that took part came out empty
};

struct substitution_error {
  std::string message;
};

// `$$` stands for one `$`. The default holds when the variable is unset or empty, as in a shell; it
// is literal text up to the next `}`. A variable that is unset and has no default is an error, and
// so is any other `$`.
std::variant<substituted, substitution_error> substitute(std::string_view text,
                                                         const environment& env);

}  // namespace tollgate::config
