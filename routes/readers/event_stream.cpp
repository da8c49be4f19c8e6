#include "routes/readers/event_stream.hpp"

#include <algorithm>

namespace tollgate::routes::readers {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view data_field = "data", event_field = "event";
constexpr std::size_t longest_field_name = 6;  // one more than the longest known name

json_pointer type_member() {
  return std::get<json_pointer>(json_pointer::parse("/type"));
}

}  // namespace

event_stream::event_stream(event_stream_settings settings, sink& target)
    : reader{target},
      settings_{std::move(settings)},
      scanner_{{settings_.audio, type_member()}, *this} {}

// --- Lines

void event_stream::read(std::string_view piece) {
  while (!piece.empty() && bytes_of_mark_ < byte_order_mark.size()) {
    if (piece.front() != byte_order_mark[bytes_of_mark_]) {
      const auto begun = byte_order_mark.substr(0, bytes_of_mark_);
      bytes_of_mark_ = byte_order_mark.size();
      read_lines(begun);
      break;
    }
    ++bytes_of_mark_;
    piece.remove_prefix(1);
  }
  read_lines(piece);
}

void event_stream::read_lines(std::string_view piece) {
  while (!piece.empty() && !failed()) {
    const char c = piece.front();
    const bool second_of_crlf = after_cr_ && c == '\n';
    after_cr_ = false;
    if (second_of_crlf) {
      piece.remove_prefix(1);
    } else if (c == '\r' || c == '\n') {
      after_cr_ = c == '\r';
      end_line();
      piece.remove_prefix(1);
    } else if (in_value_) {
      const auto* end = std::find_if(piece.begin(), piece.end(),
                                     [](char each) { return each == '\r' || each == '\n'; });
      const auto length = static_cast<std::size_t>(end - piece.begin());
      read_value(piece.substr(0, length));
      piece.remove_prefix(length);
    } else {
      read_field_name(c);
      piece.remove_prefix(1);
    }
  }
}

void event_stream::read_field_name(char c) {
  line_is_empty_ = false;
  if (c == ':')
    begin_value();
  else if (field_name_.size() < longest_field_name)
    field_name_ += c;
}

void event_stream::begin_value() {
  in_value_ = true;
  value_is_empty_ = true;
  field_ = field::other;
  if (field_name_ == event_field) {
    field_ = field::event;
    event_name_.begin();
  } else if (field_name_ == data_field) {
    field_ = field::data;
    // Line feeds join the data lines of one event.
    if (has_data_) scanner_.write("\n");
    has_data_ = true;
  }
}

// A blank after the colon belongs to neither the name nor the value.
void event_stream::read_value(std::string_view piece) {
  const bool begins = value_is_empty_;
  value_is_empty_ = false;
  if (begins && piece.front() == ' ') piece.remove_prefix(1);
  if (field_ == field::event) event_name_.add(piece, settings_.type.size());
  if (field_ != field::data) return;
  scanner_.write(piece);
  heed_scanner();
}

void event_stream::end_line() {
  if (line_is_empty_) return end_event();
  if (!in_value_) begin_value();  // a line without a colon is a field with an empty value
  in_value_ = false;
  line_is_empty_ = true;
  field_name_.clear();
}

// --- Events

void event_stream::end_event() {
  if (has_data_) {
    scanner_.finish();
    if (found_in_event_ && scanner_.problem() != fault::none) fail(fault::malformed);
    scanner_.restart();
  }
  base64_ = {};
  has_data_ = found_in_event_ = false;
  event_name_.clear();
  type_.clear();
}

void event_stream::read_end() {
  scanner_.finish();
  if (found_in_event_ && scanner_.problem() != fault::none) fail(fault::truncated);
  if (!found_) fail(fault::missing);
}

void event_stream::heed_scanner() {
  const auto problem = scanner_.problem();
  if (problem == fault::ambiguous || found_in_event_) fail(problem);
}

bool event_stream::counts() const {
  if (settings_.type.empty()) return true;
  if (type_.is_given()) return type_.is(settings_.type);
  return !event_name_.is_given() || event_name_.is(settings_.type);
}

void event_stream::on_text(std::size_t pointer, std::string_view piece) {
  if (pointer == type_pointer) return type_.add(piece, settings_.type.size());
  if (failed() || !counts()) return;
  found_ = found_in_event_ = true;
  if (!base64_.write(piece, target())) fail(fault::malformed);
}

void event_stream::on_text_end(std::size_t pointer) {
  if (pointer == type_pointer) return type_.set_given();
  if (failed() || !counts()) return;
  found_ = found_in_event_ = true;
  if (!base64_.finish(target())) fail(fault::malformed);
}

void event_stream::on_other(std::size_t pointer) {
  if (pointer == type_pointer) type_.set_given();
}

// Keeps one byte more than the limit, to distinguish longer text from equal text.
void event_stream::short_text::add(std::string_view piece, std::size_t longest) {
  text_.append(piece.substr(0, longest + 1 - text_.size()));
}

}  // namespace tollgate::routes::readers
