#include "quota/redis/resp_encoding.hpp"

#include <charconv>

namespace tollgate::quota::redis {

namespace {

void append_length(std::string& out, char type, std::size_t length) {
  const auto digit = [](std::size_t value) { return static_cast<char>('0' + value); };
  if (length < 10) {  // nearly all of them
    const char one_digit[4] = {type, digit(length), '\r', '\n'};
    out.append(one_digit, sizeof one_digit);
    return;
  }
  if (length < 100) {  // keys and ids
    const char two_digits[5] = {type, digit(length / 10), digit(length % 10), '\r', '\n'};
    out.append(two_digits, sizeof two_digits);
    return;
  }
  char digits[24];
  digits[0] = type;
  const auto end = std::to_chars(digits + 1, digits + sizeof digits - 2, length).ptr;
  end[0] = '\r';
  end[1] = '\n';
  out.append(digits, static_cast<std::size_t>(end + 2 - digits));
}

}  // namespace

void append_array_header(std::string& out, std::size_t count) {
  append_length(out, '*', count);
}

void append_argument(std::string& out, std::string_view argument) {
  append_length(out, '$', argument.size());
  out.append(argument);
  out.append("\r\n", 2);
}

void append_command(std::string& out, std::initializer_list<std::string_view> arguments) {
  append_array_header(out, arguments.size());
  for (const auto argument : arguments) append_argument(out, argument);
}

void append_command(std::string& out, const std::vector<std::string>& arguments) {
  append_array_header(out, arguments.size());
  for (const auto& argument : arguments) append_argument(out, argument);
}

}  // namespace tollgate::quota::redis
