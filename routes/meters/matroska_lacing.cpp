#include "routes/meters/matroska_lacing.hpp"

#include <bit>
#include <utility>

namespace tollgate::routes::meters {

void matroska_lacing::begin(std::uint8_t flags, std::uint64_t payload) {
  lacing_ = static_cast<lacing>(flags >> 1 & 3);
  left_ = payload;
  frames_ = 1;
  known_ = shown_ = 0;
  value_ = 0;
  next_field_ = field::count;
  if (lacing_ == lacing::none) add_last();
}

void matroska_lacing::take(std::uint8_t byte) {
  if (left_ == 0) return give_up();
  --left_;
  switch (next_field_) {
    case field::count:
      return take_count(byte);
    case field::xiph_size:
      value_ += byte;
      if (byte < 255) add(std::exchange(value_, 0));
      return;
    case field::ebml_size:
      return begin_ebml_size(byte);
    case field::rest_of_ebml_size:
      value_ = value_ << 8 | byte;
      if (--value_bytes_left_ == 0) take_ebml_size();
      return;
    case field::none:
      return;
  }
}

void matroska_lacing::take_count(std::uint8_t byte) {
  frames_ = std::size_t{byte} + 1;
  next_field_ = lacing_ == lacing::xiph ? field::xiph_size : field::ebml_size;
  if (frames_ == 1) return add_last();
  if (lacing_ != lacing::fixed) return;
  const auto size = left_ / frames_;
  if (left_ % frames_ != 0) return give_up();
  while (wants_byte()) add(size);
}

// A variable-size integer of RFC 8794, section 4.
void matroska_lacing::begin_ebml_size(std::uint8_t byte) {
  if (byte == 0) return give_up();
  value_bytes_ = static_cast<unsigned>(std::countl_zero(byte)) + 1;
  value_bytes_left_ = value_bytes_ - 1;
  value_ = byte ^ 0x80U >> value_bytes_left_;
  next_field_ = field::rest_of_ebml_size;
  if (value_bytes_left_ == 0) take_ebml_size();
}

// The first is a size; the others are differences from the previous size, offset by half of the
// range.
void matroska_lacing::take_ebml_size() {
  next_field_ = field::ebml_size;
  if (known_ == 0) return add(value_);
  const auto middle = (std::int64_t{1} << (7 * value_bytes_ - 1)) - 1;
  const auto size =
      static_cast<std::int64_t>(sizes_[known_ - 1]) + static_cast<std::int64_t>(value_) - middle;
  if (size < 0) return give_up();
  add(static_cast<std::uint64_t>(size));
}

void matroska_lacing::add(std::uint64_t size) {
  if (size > left_) return give_up();
  left_ -= size;
  sizes_[known_++] = size;
  if (known_ + 1 == frames_) add_last();
}

void matroska_lacing::add_last() {
  sizes_[known_++] = left_;
  next_field_ = field::none;
}

void matroska_lacing::give_up() {
  known_ = 0;
  next_field_ = field::none;
}

std::optional<std::uint64_t> matroska_lacing::next_frame() {
  if (wants_byte() || shown_ == known_) return std::nullopt;
  return sizes_[shown_++];
}

}  // namespace tollgate::routes::meters
