// The value of one thing that decides a route: a header, a query member, a JSON member.
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
    present,    // text (scalars only) and elements (arrays only) say what it is
    ambiguous,  // text says why; the request is refused
  };
  state is = state::absent;
  bool scalar = true;  // a string, number or boolean; false: null, an array or an object
  bool null = false;
  bool is_number = false, is_array = false;  // in JSON
  bool number = false, array = false;        // which scalar, and which of the others
  std::string text;  // as sent; JSON numbers and booleans in their shortest JSON text
  std::string folded;
  bool certain = true;  // is_certain(text)
  std::size_t elements = 0;

  static reading of(std::string text);
  static reading uncertain(std::string why);
};

enum class test_result : std::uint8_t { matches, misses, ambiguous };

// Whether the thing has one of these values. `*` alone asks only that it is there (JSON null is
// not). Text with control characters, blanks at its ends or broken UTF-8 is compared with nothing:
// readers differ in what they cut off, so it is ambiguous.
test_result test(const reading& value, const std::vector<glob>& any_of);

}  // namespace tollgate::routes
