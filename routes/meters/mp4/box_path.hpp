// The path of open boxes at a parser's position.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "routes/meters/mp4/bytes.hpp"

namespace tollgate::routes::meters::mp4 {

struct box {
  fourcc type = 0;
  std::uint64_t begin = 0, end = 0;
  std::size_t header = 0;  // bytes before its content
};

class box_path {
 public:
  // The longest header: 32-bit size, type, 64-bit size.
  static constexpr std::size_t longest_header = 16;

  bool enter(const box& inner) {
    if (depth_ == levels_.size()) return false;
    levels_[depth_++] = inner;
    return true;
  }
  void leave_all_that_end_at(std::uint64_t position) {
    while (depth_ > 0 && levels_[depth_ - 1].end <= position) --depth_;
  }

  fourcc parent() const { return depth_ == 0 ? 0 : levels_[depth_ - 1].type; }
  bool is_inside(fourcc type) const {
    return std::any_of(levels_.begin(), levels_.begin() + static_cast<std::ptrdiff_t>(depth_),
                       [type](const box& level) { return level.type == type; });
  }
  std::uint64_t end() const { return depth_ == 0 ? saturated : levels_[depth_ - 1].end; }

  // The box whose header is at `position`. A box without an end, or one that ends after its parent,
  // ends with its parent. Empty if this cannot be a box header.
  std::optional<box> read(std::string_view header, std::uint64_t position) const {
    box out{u32(header, 4), position, end(), 8};
    auto size = std::uint64_t{u32(header, 0)};
    if (size == 1) {
      size = u64(header, 8);
      out.header = 16;
    }
    if (size != 0 && size < out.header) return {};
    if (size != 0) out.end = std::min(out.end, add(position, size));
    if (out.end - position < out.header) return {};
    return out;
  }

 private:
  // moov, trak, mdia, minf, stbl, stsd, the sample entry, wave: real files use eight levels.
  std::array<box, 12> levels_;
  std::size_t depth_ = 0;
};

}  // namespace tollgate::routes::meters::mp4
