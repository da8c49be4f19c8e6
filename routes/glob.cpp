#include "routes/glob.hpp"

#include <algorithm>

#include "routes/pattern_algebra.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

// The end of the UTF-8 character at `at`; a broken one counts as one byte.
std::size_t after_character(std::string_view text, std::size_t at) {
  const auto continues = [&](std::size_t i) {
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
  };
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t most = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  std::size_t end = at + 1;
  while (end - at < most && continues(end)) ++end;
  return end;
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < text.size();) {
    const auto end = after_character(text, i);
    out.push_back(text.substr(i, end - i));
    i = end;
  }
  return out;
}

bool is_run(std::string_view symbol) {
  return symbol == "*";
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  // After a mismatch only the last `*` has to match one character more: everything before it has
  // already matched as early as possible.
  std::size_t p = 0, t = 0, after_star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t = after_character(text, t);
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (after_star != std::string_view::npos) {
      p = after_star;
      t = resume = after_character(text, resume);
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::variant<glob, std::string> glob::parse(std::string_view text) {
  if (text.empty()) return "is empty; \"*\" matches anything";
  if (text.size() > 256) return "is longer than 256 bytes";
  if (!is_utf8(text)) return "is not valid UTF-8";
  if (has_control(text)) return "contains a control character";
  glob out;
  out.text_ = text;
  for (const char c : fold(text))
    if (c != '*' || !out.folded_.ends_with('*')) out.folded_ += c;
  out.literal_ = out.folded_.find_first_of("*?") == std::string::npos;
  return out;
}

bool glob::matches(std::string_view folded) const {
  return literal_ ? folded_ == folded : glob_matches(folded_, folded);
}

bool glob::covers(const glob& other) const {
  return covers_sequence(characters(folded_), characters(other.folded_), is_run,
                         [](auto a, auto b) { return a == "?" || a == b; });
}

bool glob::overlaps(const glob& other) const {
  return overlaps_sequence(characters(folded_), characters(other.folded_), is_run,
                           [](auto a, auto b) { return a == "?" || b == "?" || a == b; });
}

bool matches_any(const std::vector<glob>& globs, std::string_view folded) {
  return std::any_of(globs.begin(), globs.end(), [&](const glob& g) { return g.matches(folded); });
}

bool covers(const std::vector<glob>& a, const std::vector<glob>& b) {
  if (a.empty()) return true;
  return !b.empty() && std::all_of(b.begin(), b.end(), [&](const glob& narrow) {
    return std::any_of(a.begin(), a.end(), [&](const glob& wide) { return wide.covers(narrow); });
  });
}

std::string to_string(const std::vector<glob>& globs) {
  std::string out;
  for (const auto& g : globs) out += (out.empty() ? "" : ", ") + g.text();
  return out;
}

}  // namespace tollgate::routes
