// The media type, for the upstream, of a body that determines a price. It is generated from the
// interpretation used here, so that no parameter makes the upstream read the body differently.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::routes {

// All of these return nullopt if the type is malformed, if a parameter is duplicated or split
// (`charset*0=`, RFC 2231), or if the charset is not allowed.

// `application/json`, with `charset=utf-8` if it was given, without other parameters.
std::optional<std::string> json_media_type(std::string_view content_type);

// `multipart/form-data; boundary=B`, with the charset if it is a superset of ASCII.
std::optional<std::string> form_media_type(std::string_view content_type);

// A file's type with all its parameters (`codecs=opus`) except the charset.
std::optional<std::string> file_media_type(std::string_view content_type);

// Whether ASCII names mean the same in that charset. They do not in UTF-7, UTF-16 or EBCDIC.
bool is_ascii_charset(std::string_view name);

}  // namespace tollgate::routes
