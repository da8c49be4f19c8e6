#include "proxy/text/csv.hpp"

#include "proxy/text/text.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

csv_writer& csv_writer::cell(std::string_view value) {
  if (comma_) out_ += ',';
  comma_ = true;
  out_ += value;
  return *this;
}

csv_writer& csv_writer::text(std::string_view raw) {
  const auto value = routes::repaired(raw);
  const bool formula = value.find_first_of("=+-@\t\r") == 0;
  if (!formula && value.find_first_of("\",\r\n") == value.npos) return cell(value);
  std::string quoted = formula ? "\"'" : "\"";
  for (const char character : value) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return cell(quoted + '"');
}

csv_writer& csv_writer::usd(std::int64_t cents) {
  return cell(dollars_text(cents));
}

csv_writer& csv_writer::end_row() {
  out_ += "\r\n";
  comma_ = false;
  return *this;
}

}  // namespace tollgate::proxy::admin
