// Encodes bytes as text (RFC 4648, section 4).
#pragma once

#include <string>
#include <string_view>

namespace tollgate::sample_upstream {

std::string base64(std::string_view bytes);

}  // namespace tollgate::sample_upstream
