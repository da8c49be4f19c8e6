// The media type of a body that decides its price, as the upstream is told it: made anew of what
// was understood here, so that no parameter makes the upstream read another body than we did.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::routes {

// All of them give nothing when the type is malformed, when a parameter stands twice or in pieces
// (`charset*0=`, RFC 2231), or when a charset is not one of those that the reader allows.

// `application/json`, with `charset=utf-8` if that was said. Other parameters say nothing of JSON
// and are left out.
std::optional<std::string> json_media_type(std::string_view content_type);

// `multipart/form-data; boundary=B`, with the charset if it is one in which ASCII is ASCII.
std::optional<std::string> form_media_type(std::string_view content_type);

// A file's, with all its parameters (`codecs=opus`) but a charset.
std::optional<std::string> file_media_type(std::string_view content_type);

// Whether names written in ASCII mean the same in that charset: not so in UTF-7, UTF-16 or EBCDIC.
bool is_ascii_charset(std::string_view name);

}  // namespace tollgate::routes
