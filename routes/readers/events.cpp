#include "routes/readers/events.hpp"

#include <algorithm>

namespace tollgate::routes::readers {

void events::write(std::string_view piece) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  while (!piece.empty() && mark_ < byte_order_mark.size()) {
    if (piece.front() != byte_order_mark[mark_]) {
      mark_ = byte_order_mark.size();
      break;
    }
    ++mark_;
    piece.remove_prefix(1);
  }
  while (!piece.empty()) {
    const char c = piece.front();
    const bool second_of_crlf = after_cr_ && c == '\n';
    after_cr_ = false;
    if (c == '\r' || c == '\n') {
      after_cr_ = c == '\r';
      if (!second_of_crlf) end_line();
      piece.remove_prefix(1);
      continue;
    }
    line_has_begun_ = true;
    if (place_ == place::field) {
      piece.remove_prefix(1);
      if (c != ':') {
        if (field_.size() < longest_field) field_ += c;
        continue;
      }
      place_ = place::blank;
      continue;
    }
    if (place_ == place::blank) {  // a blank after the colon belongs to neither
      begin_value();
      if (c == ' ') {
        piece.remove_prefix(1);
        continue;
      }
    }
    const auto end = std::min({piece.find('\n'), piece.find('\r'), piece.size()});
    const auto value = piece.substr(0, end);
    piece.remove_prefix(end);
    if (place_ == place::name) {
      name_.append(value.substr(0, longest_name - std::min(longest_name, name_.size())));
    } else if (place_ == place::data) {
      const auto room = data_wanted() - std::min(data_wanted(), data_.size());
      whole_ = whole_ && value.size() <= room;
      data_.append(value.substr(0, room));
    }
  }
}

void events::begin_value() {
  place_ = field_ == "event" ? place::name : field_ == "data" ? place::data : place::other;
  if (place_ == place::name) name_.clear();
  if (place_ != place::data) return;
  if (has_data_ && data_.size() < data_wanted())
    data_ += '\n';  // line feeds join the data lines of one event
  has_data_ = true;
}

void events::end_line() {
  if (!line_has_begun_) return end_event();
  if (place_ == place::field || place_ == place::blank)
    begin_value();  // a field with an empty value
  field_.clear();
  place_ = place::field;
  line_has_begun_ = false;
}

void events::end_event() {
  if (has_data_ || !name_.empty()) on_event({name_, data_, whole_});
  name_.clear();
  data_.clear();
  has_data_ = false;
  whole_ = true;
}

void events::finish() {
  if (line_has_begun_) end_line();
  end_event();
}

}  // namespace tollgate::routes::readers
