#include "routes/readers/delimiter.hpp"

#include <algorithm>

namespace tollgate::routes::readers {

delimiter::result delimiter::search(std::string_view piece) {
  return matched_ > 0 ? go_on(piece) : look_for_line_end(piece);
}

// In a delimiter only the first byte is a CR and only the second a LF (`bchars` of RFC 2046 has
// neither), so a failed match cannot contain the start of another.
delimiter::result delimiter::go_on(std::string_view piece) {
  result out;
  while (matched_ < text_.size() && out.used < piece.size() && piece[out.used] == text_[matched_]) {
    ++matched_;
    ++out.used;
  }
  if (matched_ == text_.size()) {
    out.is = not_seen_ == 0   ? result::found
             : not_seen_ == 1 ? result::found_after_bare_lf
                              : result::found_at_once;
    matched_ = not_seen_ = 0;
  } else if (out.used < piece.size()) {
    out.before = std::string_view{text_}.substr(not_seen_, matched_ - not_seen_);
    matched_ = not_seen_ = 0;
  }
  return out;
}

std::size_t stray_boundary::find_end(std::string_view piece) {
  const auto most = text_.size() - 1;
  if (!tail_.empty()) {
    auto seam = tail_;
    seam.append(piece.substr(0, most));
    const auto at = seam.find(text_);
    if (at != seam.npos) return at + most - tail_.size();
  }
  const auto at = piece.find(text_);
  if (at != piece.npos) return at + most;
  tail_.append(piece.substr(piece.size() - std::min(piece.size(), most)));
  if (tail_.size() > most) tail_.erase(0, tail_.size() - most);
  return nowhere;
}

delimiter::result delimiter::look_for_line_end(std::string_view piece) {
  result out;
  const auto lf = piece.find('\n');
  if (lf != piece.npos) {
    const bool after_cr = lf > 0 && piece[lf - 1] == '\r';
    out.content = piece.substr(0, after_cr ? lf - 1 : lf);
    out.used = lf + 1;
    matched_ = 2;
    not_seen_ = after_cr ? 0 : 1;
  } else {
    matched_ = piece.ends_with('\r') ? 1 : 0;
    out.content = piece.substr(0, piece.size() - matched_);
    out.used = piece.size();
  }
  return out;
}

}  // namespace tollgate::routes::readers
