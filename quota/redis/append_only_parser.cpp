#include "quota/redis/append_only_parser.hpp"

#include <algorithm>
#include <charconv>

#include <strings.h>

namespace tollgate::quota::redis {

namespace {

constexpr std::size_t longest_annotation = 1024, longest_name = 64;
constexpr std::int64_t most_arguments = 1 << 20;
constexpr std::int64_t longest_argument = 512ll << 20;

bool is(const std::string& name, const char* command) {
  return strcasecmp(name.c_str(), command) == 0;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

void append_only_parser::feed(std::string_view bytes) {
  while (!bytes.empty() && !damage_) {
    if (place_ != place::argument) {
      take(bytes.front());
      ++position_;
      bytes.remove_prefix(1);
      if (place_ == place::between && !damage_ && !in_transaction_) whole_ = position_;
      continue;
    }
    const auto here =
        std::min<std::uint64_t>(bytes.size(), static_cast<std::uint64_t>(bytes_left_));
    const auto piece = bytes.substr(0, here);
    look_for_command(piece);
    if (arguments_left_ == argument_count_) name_.append(piece.substr(0, longest_name));
    position_ += here;
    bytes_left_ -= static_cast<std::int64_t>(here);
    bytes.remove_prefix(here);
    if (bytes_left_ == 0) place_ = place::argument_cr;
  }
}

void append_only_parser::finish() {
  if (damage_) return;
  if (place_ == place::argument && swallowed_) {
    fail(command_at_, "a command that is longer than the rest of the file, in which others begin");
  }
}

void append_only_parser::take(char c) {
  switch (place_) {
    case place::between:
      command_at_ = position_;
      digits_.clear();
      name_.clear();
      if (c == '*') return void(place_ = place::count);
      if (c == '#') return void(place_ = place::annotation);
      return fail(position_, "not a command");
    case place::annotation:
      if (digits_.size() > longest_annotation) return fail(command_at_, "not a command");
      if (c == '\n') return void(place_ = place::between);
      return void(digits_ += c);
    case place::count:
      return take_number(c, 1, most_arguments);
    case place::dollar:
      if (c != '$') return fail(position_, "not the argument of a command");
      digits_.clear();
      return void(place_ = place::length);
    case place::length:
      return take_number(c, 0, longest_argument);
    case place::argument_cr:
      if (c != '\r') return fail(position_, "an argument that does not end where it should");
      return void(place_ = place::argument_lf);
    case place::argument_lf:
      if (c != '\n') return fail(position_, "an argument that does not end where it should");
      return end_argument();
    case place::argument:
      break;
  }
}

// Digits as a server writes them, and the end of their line.
void append_only_parser::take_number(char c, std::int64_t least, std::int64_t most) {
  const bool wrong_digit =
      !line_ending_ && c != '\r' && (!is_digit(c) || digits_ == "0" || digits_.size() > 9);
  if (wrong_digit || (line_ending_ && c != '\n')) return fail(position_, "not a number");
  if (!line_ending_ && c != '\r') return void(digits_ += c);
  line_ending_ = !line_ending_;
  if (line_ending_) return;
  std::int64_t number = -1;
  std::from_chars(digits_.data(), digits_.data() + digits_.size(), number);
  if (number < least || number > most) return fail(position_, "a number that is out of range");
  if (place_ == place::count) {
    argument_count_ = arguments_left_ = number;
    place_ = place::dollar;
  } else {
    bytes_left_ = number;
    begin_argument();
  }
}

void append_only_parser::begin_argument() {
  const bool is_name = arguments_left_ == argument_count_;
  if (is_name && (bytes_left_ == 0 || bytes_left_ > static_cast<std::int64_t>(longest_name))) {
    return fail(position_, "not the name of a command");
  }
  pattern_ = 0;
  swallowed_ = false;
  place_ = bytes_left_ > 0 ? place::argument : place::argument_cr;
}

void append_only_parser::end_argument() {
  if (--arguments_left_ > 0) return void(place_ = place::dollar);
  end_command();
}

void append_only_parser::end_command() {
  place_ = place::between;
  const bool known = std::ranges::all_of(name_, [](char c) { return c > ' ' && c < 0x7f; });
  if (!known) return fail(command_at_, "not the name of a command");
  const bool begins = is(name_, "MULTI"), ends = is(name_, "EXEC");
  if (begins && in_transaction_) return fail(command_at_, "a transaction that begins in another");
  if (ends && !in_transaction_)
    return fail(command_at_, "the end of a transaction that is not there");
  // No other command in a transaction has a single argument: this was an EXEC.
  if (in_transaction_ && !ends && argument_count_ == 1) {
    return fail(command_at_, "a command that no transaction has");
  }
  in_transaction_ = begins || (in_transaction_ && !ends);
}

// An argument whose length was altered includes the commands after it. No value that Tollgate
// stores contains one.
void append_only_parser::look_for_command(std::string_view argument) {
  if (swallowed_) return;
  for (const char c : argument) {
    static constexpr std::string_view pattern = "\r\n*0\r\n$";
    const bool more_digits = pattern_ == 4 && is_digit(c);
    if (more_digits) continue;
    const auto wanted = pattern[static_cast<std::size_t>(pattern_)];
    const bool fits = wanted == '0' ? is_digit(c) : c == wanted;
    pattern_ = fits ? pattern_ + 1 : (c == '\r' ? 1 : 0);
    if (pattern_ == static_cast<int>(pattern.size())) return void(swallowed_ = true);
  }
}

void append_only_parser::fail(std::uint64_t offset, std::string what) {
  damage_ = damage{offset, std::move(what)};
}

}  // namespace tollgate::quota::redis
