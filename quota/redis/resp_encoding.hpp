// Appends commands in the Redis protocol.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::quota::redis {

void append_command(std::string& out, std::initializer_list<std::string_view> arguments);
void append_command(std::string& out, const std::vector<std::string>& arguments);
// For commands whose arguments are appended one by one: `*COUNT` first, then COUNT arguments.
void append_array_header(std::string& out, std::size_t count);
void append_argument(std::string& out, std::string_view argument);

}  // namespace tollgate::quota::redis
