// Globs: `*` matches any run of characters, `?` one character, everything else itself. Letter case
// is ignored.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tollgate::routes {

// Whether `text` matches, byte for byte. Time is at most the product of the lengths, memory
// constant.
bool glob_matches(std::string_view pattern, std::string_view text);

class glob {
 public:
  // Returns the glob, or the reason why it is invalid.
  static std::variant<glob, std::string> parse(std::string_view text);

  // `folded` is text from fold(): fold once, match often.
  bool matches(std::string_view folded) const;

  bool matches_anything() const { return folded_ == "*"; }
  // Sound, not complete: see pattern_algebra.hpp.
  bool covers(const glob& other) const;
  bool overlaps(const glob& other) const;

  const std::string& text() const { return text_; }

 private:
  std::string text_;    // as written
  std::string folded_;  // neighbouring `*` joined
  bool literal_ = true;
};

bool matches_any(const std::vector<glob>& globs, std::string_view folded);
// Whether `a` matches everything that `b` does. An empty list means "any".
bool covers(const std::vector<glob>& a, const std::vector<glob>& b);
// "gpt-4*, o1*", for messages.
std::string to_string(const std::vector<glob>& globs);

}  // namespace tollgate::routes
