// A column of values as one parameter: PostgreSQL's text format of an array, which `unnest`
// expands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::proxy::archive {

class sql_array {
 public:
  sql_array& add(std::int64_t value);
  // Invalid UTF-8 and the character zero become U+FFFD: no database accepts them.
  sql_array& add(std::string_view text);

  std::string text() const { return out_ + '}'; }

 private:
  void separate();
  std::string out_{"{"};
};

}  // namespace tollgate::proxy::archive
