// Finds `CRLF "--" boundary` in a stream (RFC 2046, 5.1.1), in constant memory.
#pragma once

#include <string>
#include <string_view>

namespace tollgate::routes::readers {

// What may become a delimiter is held back, but not as bytes: they are those of the delimiter, so a
// number is enough.
class delimiter {
 public:
  explicit delimiter(const std::string& boundary) : text_{"\r\n--" + boundary} {}

  struct result {
    std::string_view before;   // content that had been held back
    std::string_view content;  // of this piece
    std::size_t used = 0;      // bytes of this piece that need not be shown again
    enum : unsigned char { nothing, found, found_after_bare_lf, found_at_once } is = nothing;
  };
  // Shown the rest of a piece until all of it is used.
  result search(std::string_view piece);

  // Looks for the delimiter where a line has just begun: at the beginning of a body or of content.
  void begin_line() { matched_ = not_seen_ = 2; }

 private:
  result go_on(std::string_view piece);
  result look_for_line_end(std::string_view piece);

  std::string text_;
  std::size_t matched_ = 0;   // bytes of the delimiter
  std::size_t not_seen_ = 0;  // of them: the CR of a bare line feed, or the CRLF that went before
};

// Finds `"--" boundary` in a text that has none where it should be: some readers end a part there,
// behind a bare CR, behind a bare LF, or in the middle of a line.
class stray_boundary {
 public:
  explicit stray_boundary(const std::string& boundary) : text_{"--" + boundary} {}

  static constexpr std::size_t nowhere = ~std::size_t{0};
  // Shown the pieces of one text, one after the other: how many bytes of this one come before the
  // byte with which it is complete.
  std::size_t find_end(std::string_view piece);
  // Another text begins.
  void restart() { tail_.clear(); }

 private:
  std::string text_;
  std::string tail_;  // the end of what came, where the boundary could have begun
};

}  // namespace tollgate::routes::readers
