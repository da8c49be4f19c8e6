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
  std::vector<std::string> file_names;  // that some reader could take for its own
  std::optional<std::uint64_t> length;  // said by Content-Length, which some readers go by
};

// `lines` are all of them, with the empty one that ends them. Faults:
//
// - ambiguous: what some readers take for the name, and others do not: two names or dispositions, a
//   name in pieces (RFC 2231) or in mail's encoding (RFC 2047), with escapes, in no UTF-8, without
//   quotes and no token, or in a charset in which ASCII is not ASCII; parameters besides `name` and
//   `filename`; and a form or a message in the part.
// - unsupported: the content of the part is encoded (Content-Transfer-Encoding, Content-Encoding).
// - malformed: a part without a name, folded lines, bare line ends.
std::variant<part_head, fault> read_part_head(std::string_view lines);

}  // namespace tollgate::routes::readers
