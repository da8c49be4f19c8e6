#include "routes/readers/parameters.hpp"

#include <algorithm>

#include "routes/text.hpp"

namespace tollgate::routes::readers {
namespace {

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

std::string_view take_until_any(std::string_view& text, std::string_view marks) {
  const auto taken = text.substr(0, text.find_first_of(marks));
  text.remove_prefix(taken.size());
  return taken;
}

// Some parsers do not support escapes. For them the text ends at an escaped quote, and a semicolon
// after it would begin other parameters. So a text must not contain both.
bool take_quoted(std::string_view& text, parameter& to) {
  auto& out = to.value;
  bool escaped_quote = false;
  to.quoted = true;
  for (text.remove_prefix(1); !text.empty() && text.front() != '"'; text.remove_prefix(1)) {
    if (text.front() == '\\') {
      to.escaped = true;
      text.remove_prefix(1);
      if (text.empty()) return false;
      escaped_quote = escaped_quote || text.front() == '"';
    }
    out += text.front();
  }
  if (text.empty() || (escaped_quote && out.find(';') != out.npos)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<parameter> take_parameter(std::string_view& text) {
  parameter out;
  for (const char c : take_until_any(text, "= \t;")) out.name += lower(c);
  if (!is_token(out.name) || !text.starts_with('=')) return {};
  text.remove_prefix(1);
  if (text.starts_with('"')) {
    if (!take_quoted(text, out)) return {};
  } else {
    out.value = take_until_any(text, "; \t\"");
    if (out.value.empty()) return {};
  }
  return out;
}

}  // namespace

const std::string* parameterized::only(std::string_view name) const {
  const std::string* found = nullptr;
  for (const auto& each : parameters)
    if (each.name == name) found = &each.value;
  return count(name) == 1 ? found : nullptr;
}

std::size_t parameterized::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(parameters.begin(), parameters.end(),
                    [name](const parameter& each) { return each.name == name; }));
}

std::optional<parameterized> read_parameters(std::string_view text) {
  parameterized out;
  skip_blanks(text);
  out.value = take_until_any(text, "; \t");
  for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
    if (!text.starts_with(';')) return {};
    text.remove_prefix(1);
    skip_blanks(text);
    if (text.empty()) break;  // a final semicolon, which many clients send
    auto next = take_parameter(text);
    if (!next) return {};
    out.parameters.push_back(std::move(*next));
  }
  return out;
}

}  // namespace tollgate::routes::readers
