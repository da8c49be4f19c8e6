#include "config/substitute.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "routes/text.hpp"

namespace tollgate::config {
namespace {

bool is_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  const auto letter_or_digit = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), letter_or_digit);
}

// The content of "${...}".
struct reference {
  std::string name;
  std::optional<std::string> fallback;
};

std::optional<reference> read_reference(std::string_view inside) {
  const auto separator = inside.find(":-");
  reference out{std::string{inside.substr(0, separator)}, {}};
  if (!is_name(out.name)) return {};
  if (separator != std::string_view::npos) {
    out.fallback = inside.substr(separator + 2);
    if (out.fallback->find('$') != std::string::npos) return {};
  }
  return out;
}

std::variant<std::string, substitution_error> look_up(const reference& wanted,
                                                      const environment& env) {
  std::optional<std::string> value = env(wanted.name);
  if (wanted.fallback && (!value || value->empty())) value = wanted.fallback;
  if (!value) {
    return substitution_error{"the environment variable " + wanted.name + " is not set (${" +
                              wanted.name + ":-default} would allow that)"};
  }
  if (!routes::is_utf8(*value) || routes::has_control(*value)) {
    return substitution_error{"the environment variable " + wanted.name +
                              " is not one line of plain UTF-8 text"};
  }
  return *std::move(value);
}

}  // namespace

std::variant<substituted, substitution_error> substitute(std::string_view text,
                                                         const environment& env) {
  substituted out;
  bool any_text = false;
  while (!text.empty()) {
    const auto dollar = text.find('$');
    out.text += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      out.text += '$';
      text.remove_prefix(2);
      continue;
    }
    const auto end = text.find('}');
    const auto found = text.starts_with("${") && end != std::string_view::npos
                           ? read_reference(text.substr(2, end - 2))
                           : std::nullopt;
    if (!found)
      return substitution_error{"write ${NAME}, ${NAME:-default}, or $$ for a dollar sign"};
    const auto value = look_up(*found, env);
    if (const auto* error = std::get_if<substitution_error>(&value)) return *error;
    any_text |= !std::get<std::string>(value).empty();
    out.text += std::get<std::string>(value);
    out.from_environment = true;
    text.remove_prefix(end + 1);
  }
  out.all_empty = out.from_environment && !any_text;
  return out;
}

environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string{value};
  };
}

}  // namespace tollgate::config
