// Appends the pieces of a head.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::proxy {

inline void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

inline void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ", 2).append(value).append("\r\n", 2);
}

}  // namespace tollgate::proxy
