// Reads the values in the head of a request that decide its route.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "routes/classify.hpp"
#include "routes/reading.hpp"

namespace tollgate::routes {

// Ambiguous if the header is duplicated, or has `_` where the name has `-`: gateways that turn
// headers into variables cannot distinguish these.
reading read_header(const request_view& request, std::string_view name);

// A query parameter, percent-decoded, `+` as a blank. Ambiguous if it is duplicated, also in
// another spelling (see member_name.hpp) or as an array (`name[]`), if its encoding is broken, or
// if the query has a `;`, which some servers take for a separator.
reading read_query(std::string_view query, std::string_view name);

// The media type without its parameters. Ambiguous unless it is a single well-formed type.
reading read_media_type(const request_view& request);

// The media type, for the upstream, of a body that is read as JSON (see media_type.hpp); or the
// reason why the head rules JSON out: its type or charset.
std::variant<std::string, problem> read_json_type(const request_view& request);

// The codings of a body that is read: a list that readers::knows_codings() accepts, empty if the
// body is not compressed; or 415.
std::variant<std::string, problem> read_codings(const request_view& request);

// No body will follow: none is announced, and the method usually has none.
bool has_no_body(const request_view& request);

}  // namespace tollgate::routes
