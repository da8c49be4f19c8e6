// EBML (RFC 8794): element heads, and the path of open master elements.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "routes/meters/bytes.hpp"

namespace tollgate::routes::meters {

struct ebml_element {
  static constexpr std::uint64_t unknown_size = std::numeric_limits<std::uint64_t>::max();

  std::uint32_t id = 0;
  std::uint64_t size = 0;  // of the content
  std::size_t head_bytes = 0;
};

// Reads the head of an element (sections 4 to 6).
class ebml_head {
 public:
  explicit ebml_head(std::string_view bytes) {
    const auto id_bytes = length(bytes, 0, 4);
    if (id_bytes == 0) return;
    const auto size_bytes = length(bytes, id_bytes, 8);
    if (size_bytes == 0) return;
    needed_ = id_bytes + size_bytes;
    if (bytes.size() < needed_) return;
    const auto size = big_endian(bytes.substr(id_bytes, size_bytes));
    const auto mask = (std::uint64_t{1} << 7 * size_bytes) - 1;
    element_ = {static_cast<std::uint32_t>(big_endian(bytes.substr(0, id_bytes))),
                (size & mask) == mask ? ebml_element::unknown_size : size & mask, needed_};
  }

  // Empty if the head is broken or needs more bytes.
  const std::optional<ebml_element>& element() const { return element_; }
  bool is_broken() const { return is_broken_; }
  std::size_t needed_bytes() const { return needed_; }

 private:
  // The length of the variable-size integer at `at`; 0 if it is missing or longer than allowed.
  std::size_t length(std::string_view bytes, std::size_t at, std::size_t most) {
    needed_ = at + 1;
    if (bytes.size() <= at) return 0;
    const auto found = static_cast<std::size_t>(std::countl_zero(byte_at(bytes, at))) + 1;
    is_broken_ = found > most;
    return is_broken_ ? 0 : found;
  }

  std::optional<ebml_element> element_;
  std::size_t needed_ = 1;
  bool is_broken_ = false;
};

inline double ebml_float(std::string_view content) {
  if (content.size() == 4)
    return std::bit_cast<float>(static_cast<std::uint32_t>(big_endian(content)));
  return content.size() == 8 ? std::bit_cast<double>(big_endian(content)) : 0;
}

inline std::int64_t ebml_signed(std::string_view content) {
  if (content.empty() || content.size() > 8) return 0;
  const auto unused_bits = 64 - 8 * content.size();
  return static_cast<std::int64_t>(big_endian(content) << unused_bits) >> unused_bits;
}

// The master elements that are open.
class ebml_path {
 public:
  void enter(std::uint32_t id, std::uint64_t position, std::uint64_t size) {
    levels_[depth_++] = {id, size == ebml_element::unknown_size ? size : position + size};
  }
  bool empty() const { return depth_ == 0; }
  // No real file nests deeper, and decoders do not follow.
  bool is_full() const { return depth_ == levels_.size(); }
  std::uint32_t innermost() const { return levels_[depth_ - 1].id; }
  bool is_of_unknown_size() const { return levels_[depth_ - 1].end == ebml_element::unknown_size; }
  std::uint32_t leave() { return levels_[--depth_].id; }
  // Leaves the innermost master if it ends at or before `position`.
  std::optional<std::uint32_t> leave_at(std::uint64_t position) {
    if (depth_ == 0 || levels_[depth_ - 1].end > position) return std::nullopt;
    return leave();
  }
  // Whether `size` bytes from `position` are within the innermost master.
  bool holds(std::uint64_t position, std::uint64_t size) const {
    return depth_ == 0 ||
           (position <= levels_[depth_ - 1].end && size <= levels_[depth_ - 1].end - position);
  }

 private:
  struct level {
    std::uint32_t id;
    std::uint64_t end;
  };
  std::array<level, 12> levels_;
  std::size_t depth_ = 0;
};

}  // namespace tollgate::routes::meters
