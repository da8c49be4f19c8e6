#include "proxy/archive/sql_array.hpp"

#include "routes/text.hpp"

namespace tollgate::proxy::archive {

void sql_array::separate() {
  if (out_.size() > 1) out_ += ',';
}

sql_array& sql_array::add(std::int64_t value) {
  separate();
  out_ += std::to_string(value);
  return *this;
}

sql_array& sql_array::add(std::string_view text) {
  separate();
  out_ += '"';
  for (const char c : routes::repaired(text)) {
    if (c == '"' || c == '\\') out_ += '\\';
    out_ += c;
  }
  out_ += '"';
  return *this;
}

}  // namespace tollgate::proxy::archive
