// Reads bits, most significant first, from bytes that are followed by padding.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tollgate::routes::meters::aac {

class bits {
 public:
  explicit bits(std::string_view bytes) : bytes_{bytes}, end_{bytes.size() * 8} {}

  // Returns the next `n` bits (1 to 32) without consuming them. Reads zeros past the end.
  std::uint32_t peek(unsigned n) const {
    if (at_ >= end_) return 0;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes_.data() + at_ / 8, sizeof word);
    static_assert(std::endian::native == std::endian::little);
    word = __builtin_bswap64(word) << (at_ % 8);
    return static_cast<std::uint32_t>(word >> (64 - n));
  }
  void skip(std::size_t n) { at_ += n; }
  std::uint32_t take(unsigned n) {
    const auto value = peek(n);
    at_ += n;
    return value;
  }
  bool flag() { return take(1) != 0; }
  void align() { at_ = (at_ + 7) / 8 * 8; }

  std::size_t at() const { return at_; }
  bool overrun() const { return at_ > end_; }
  std::size_t left() const { return overrun() ? 0 : end_ - at_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0, end_;
};

}  // namespace tollgate::routes::meters::aac
