// The media type, for the upstream, of a body that decides a price: written anew from what was
// understood here, so that no parameter makes the upstream read another body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::routes {

// All return nullopt when the type is malformed, when a parameter is duplicated or in pieces
// (`charset*0=`, RFC 2231), or when the charset is not allowed.

// `application/json`, with `charset=utf-8` if that was given, without other parameters.
std::optional<std::string> json_media_type(std::string_view content_type);

// `multipart/form-data; boundary=B`, with the charset if it is one in which ASCII is ASCII.
std::optional<std::string> form_media_type(std::string_view content_type);

// A file's, with all its parameters (`codecs=opus`) but a charset.
std::optional<std::string> file_media_type(std::string_view content_type);

// Whether names written in ASCII mean the same in that charset: not so in UTF-7, UTF-16 or EBCDIC.
bool is_ascii_charset(std::string_view name);

}  // namespace tollgate::routes
