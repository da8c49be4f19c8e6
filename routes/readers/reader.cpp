#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

std::string_view to_string(fault which) {
  switch (which) {
    case fault::none:
      return "none";
    case fault::malformed:
      return "malformed";
    case fault::truncated:
      return "truncated";
    case fault::missing:
      return "missing";
    case fault::ambiguous:
      return "ambiguous";
    case fault::unsupported:
      return "unsupported";
    case fault::expands_too_far:
      return "expands_too_far";
  }
  return "";
}

}  // namespace tollgate::routes::readers
