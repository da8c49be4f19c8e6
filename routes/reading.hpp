// The value of one element that decides a route: a header, a query parameter, a JSON member.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "routes/glob.hpp"

namespace tollgate::routes {

struct reading {
  enum class state : std::uint8_t {
    absent,
    present,    // see text (scalars only) and elements (arrays only)
    ambiguous,  // text has the reason; the request is refused
  };
  state is = state::absent;
  bool scalar = true;  // a string, number or boolean; false: null, an array or an object
  bool null = false;
  bool is_number = false, is_array = false;  // in JSON
  bool number = false, array = false;        // the kind of scalar, and the kind of the others
  std::string text;  // as sent; JSON numbers and booleans in their shortest JSON text
  std::string folded;
  bool certain = true;  // is_certain(text)
  std::size_t elements = 0;

  static reading of(std::string text);
  static reading uncertain(std::string why);
};

enum class test_result : std::uint8_t { matches, misses, ambiguous };

// Whether the value matches one of the globs. `*` alone only requires that it exists (JSON null
// does not count). Text with control characters, blanks at its ends or broken UTF-8 is ambiguous
// and never compared: readers differ in how they trim it.
test_result test(const reading& value, const std::vector<glob>& any_of);

}  // namespace tollgate::routes
