// Finds `CRLF "--" boundary` in a stream (RFC 2046, 5.1.1), in constant memory.
#pragma once

#include <string>
#include <string_view>

namespace tollgate::routes::readers {

// A possible delimiter is held back as a number of matched bytes: the bytes themselves are those of
// the delimiter.
class delimiter {
 public:
  explicit delimiter(const std::string& boundary) : text_{"\r\n--" + boundary} {}

  struct result {
    std::string_view before;   // content that was held back earlier
    std::string_view content;  // of this piece
    std::size_t used = 0;      // bytes of this piece that were consumed
    enum : unsigned char { nothing, found, found_after_bare_lf, found_at_once } is = nothing;
  };
  // Call it with the rest of a piece until all of it is consumed.
  result search(std::string_view piece);

  // Searches for the delimiter at the start of a line: at the beginning of a body or of content.
  void begin_line() { matched_ = not_seen_ = 2; }

 private:
  result go_on(std::string_view piece);
  result look_for_line_end(std::string_view piece);

  std::string text_;
  std::size_t matched_ = 0;  // bytes of the delimiter
  std::size_t not_seen_ =
      0;  // how many of them were not in the input: the CR of a bare line feed, or the initial CRLF
};

// Finds `"--" boundary` in text that should not contain it: some readers end a part there, after a
// bare CR, after a bare LF, or in the middle of a line.
class stray_boundary {
 public:
  explicit stray_boundary(const std::string& boundary) : text_{"--" + boundary} {}

  static constexpr std::size_t nowhere = ~std::size_t{0};
  // Call it with the consecutive pieces of one text. Returns how many bytes of this piece precede
  // the byte that completes the boundary.
  std::size_t find_end(std::string_view piece);
  // Begins another text.
  void restart() { tail_.clear(); }

 private:
  std::string text_;
  std::string tail_;  // the end of the text so far, where a boundary could have begun
};

}  // namespace tollgate::routes::readers
