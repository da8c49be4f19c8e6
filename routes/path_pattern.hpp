// Path patterns: "/v1/agents/{agent}/**".
//
//   literal      itself; letter case, percent-encoding and one trailing slash make no difference
//   {name}       one segment, captured
//   *            one segment; within a segment, any run of characters: "gpt-*.json"
//   **           any number of segments, none included; at the end or between
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "routes/glob.hpp"

namespace tollgate::routes {

// A normalised path, split once for all patterns.
class path_segments {
 public:
  explicit path_segments(std::string_view normalised);
  path_segments(const path_segments&) = delete;  // the segments point into it
  path_segments& operator=(const path_segments&) = delete;

  struct segment {
    std::string_view raw;     // as in the path
    std::string_view folded;  // decoded, as fold() returns it
  };
  std::size_t size() const { return segments_.size(); }
  const segment& operator[](std::size_t i) const { return segments_[i]; }
  bool trailing_slash() const { return trailing_slash_; }
  // Decoding and folding change nothing in it.
  bool plain() const { return decoded_.empty(); }

 private:
  std::string decoded_;  // storage for `folded` where it differs from `raw`
  boost::container::small_vector<segment, 12> segments_;
  bool trailing_slash_ = false;
};

// How a path matches a pattern. Upstreams differ in which paths they treat as equal: `lenient`
// covers what any of them might accept, `exact` what all of them accept.
enum class path_fit : unsigned char { none, lenient, exact };

class path_pattern {
 public:
  // Returns the pattern, or the reason why it is invalid. Empty text matches any path.
  static std::variant<path_pattern, std::string> parse(std::string_view text);

  struct captures {
    std::string_view agent, conversation;  // raw segments; empty: not captured
  };
  path_fit match(const path_segments& path, captures& found) const;
  // Whether a `{name}` or a `*` takes each segment that contains `%2F`, in a path that matches.
  bool captures_slashes(const path_segments& path) const;

  // Sound, but not complete: see pattern_algebra.hpp. Uses the lenient reading.
  bool covers(const path_pattern& other) const;
  bool overlaps(const path_pattern& other) const;

  const std::string& text() const { return text_; }

 private:
  enum class kind : unsigned char { literal, glob, any, run };
  struct element {
    kind what = kind::literal;
    std::string raw;                             // literal, glob: in normal form
    std::string folded;                          // literal: decoded
    std::optional<glob> wildcard;                // glob: decoded
    std::string capture;                         // any: the name, if it has one
    std::string_view captures::*into = nullptr;  // any: where to store it, if anywhere
  };

  static std::variant<element, std::string> parse_element(std::string_view text);
  std::optional<std::string> add(element next);
  template <class Fits>
  bool walk(const path_segments& path, captures& found, Fits fits) const;

  std::string text_;
  std::vector<element> elements_;
  bool trailing_slash_ = false;
  bool plain_ = true;  // as path_segments::plain
};

}  // namespace tollgate::routes
