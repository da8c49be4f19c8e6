// Refuses every message head that two HTTP implementations could read in two ways (RFC 9112:
// sections 2.2, 3, 5.1, 5.2, 6.1 to 6.3). Beast parses the heads that pass; a head that Beast would
// accept but another server would read differently (request smuggling) does not.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::proxy {

// The length of the head, its final empty line included, or npos while that has not arrived. A bare
// LF LF also ends a head here, so that a malformed one is refused instead of waited for.
std::size_t find_head_end(std::string_view bytes);

// Null if the head may be parsed; otherwise the reason, as a sentence.
std::optional<std::string> inspect_request_head(std::string_view head);
std::optional<std::string> inspect_response_head(std::string_view head);

}  // namespace tollgate::proxy
