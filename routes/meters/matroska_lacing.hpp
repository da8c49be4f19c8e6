// Several frames in one block (RFC 9559, section 10.3).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace tollgate::routes::meters {

// Reads the bytes between a block's flags and its first frame, one by one, and computes the sizes
// of the frames.
class matroska_lacing {
 public:
  // `payload`: the number of bytes in the block after its flags.
  void begin(std::uint8_t flags, std::uint64_t payload);
  // All frames have been returned.
  bool is_done() const { return known_ == frames_ && shown_ == known_; }
  bool wants_byte() const { return next_field_ != field::none; }
  void take(std::uint8_t byte);

  // The sizes in order; empty after the last. If the sizes do not add up to the block there are
  // none: decoders drop such a block.
  std::optional<std::uint64_t> next_frame();

 private:
  enum class lacing : std::uint8_t { none, xiph, fixed, ebml };
  enum class field : std::uint8_t { none, count, xiph_size, ebml_size, rest_of_ebml_size };

  void take_count(std::uint8_t byte);
  void begin_ebml_size(std::uint8_t byte);
  void take_ebml_size();
  void add(std::uint64_t size);
  void add_last();
  void give_up();

  lacing lacing_ = lacing::none;
  field next_field_ = field::none;
  std::array<std::uint64_t, 256> sizes_;
  std::size_t frames_ = 0, known_ = 0, shown_ = 0;
  std::uint64_t left_ = 0;  // payload bytes left for the fields and sizes not known yet
  std::uint64_t value_ = 0;
  unsigned value_bytes_ = 0, value_bytes_left_ = 0;
};

}  // namespace tollgate::routes::meters
