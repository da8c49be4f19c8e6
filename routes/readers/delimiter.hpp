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

}  // namespace tollgate::routes::readers
