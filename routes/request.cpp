#include "routes/classify.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {

std::string_view request_view::header(std::string_view name) const {
  for (const auto& field : headers)
    if (equal_ignoring_case(field.name, name)) return field.value;
  return {};
}

std::size_t request_view::count(std::string_view name) const {
  std::size_t found = 0;
  for (const auto& field : headers) found += equal_ignoring_case(field.name, name) ? 1 : 0;
  return found;
}

}  // namespace tollgate::routes
