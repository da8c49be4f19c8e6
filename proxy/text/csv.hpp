// CSV according to RFC 4180, safe to open in a spreadsheet.
#pragma once

#include <string>
#include <string_view>

#include "quota/credits.hpp"

namespace tollgate::proxy::admin {

class csv_writer {
 public:
  // Text that a spreadsheet would run as a formula (callers choose the names of agents and
  // conversations) is prefixed with an apostrophe. Invalid UTF-8 and zero bytes become U+FFFD.
  csv_writer& text(std::string_view value);
  csv_writer& number(quota::credits amount) { return cell(quota::to_string(amount)); }
  csv_writer& number(std::int64_t value) { return cell(std::to_string(value)); }
  csv_writer& usd(std::int64_t cents);
  csv_writer& end_row();

  std::string take() { return std::move(out_); }

 private:
  csv_writer& cell(std::string_view value);

  std::string out_;
  bool comma_ = false;
};

}  // namespace tollgate::proxy::admin
