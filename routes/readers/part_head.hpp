// The head of one part of a form (RFC 7578, section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

struct part_head {
  std::string name;
  std::vector<std::string> file_names;  // every name that some reader could use
  std::optional<std::uint64_t> length;  // from Content-Length, which some readers use
};

// `lines` contains all header lines and the empty one at the end. Faults:
//
// - ambiguous: names that readers interpret differently: two names or dispositions; a name that is
//   split (RFC 2231), encoded for mail (RFC 2047), escaped, not UTF-8, neither quoted nor a token,
//   or in a charset that is not a superset of ASCII; parameters other than `name` and `filename`; a
//   form or a message in the part.
// - unsupported: the content of the part is encoded (Content-Transfer-Encoding, Content-Encoding).
// - malformed: a part without a name, folded lines, bare line ends.
std::variant<part_head, fault> read_part_head(std::string_view lines);

}  // namespace tollgate::routes::readers
