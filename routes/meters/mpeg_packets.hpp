// MPEG audio packets (MP3, layers I and II) in a container.
#pragma once

#include <algorithm>

#include "routes/meters/bytes.hpp"
#include "routes/meters/mpeg_header.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

// A packet should contain one frame. Decoders play every frame in it, even with zeros in between,
// so every frame counts.
class mpeg_packets final : public packet_codec {
 public:
  explicit mpeg_packets(char layer) : layer_{layer} {}

  std::string_view name() const override {
    return layer_ == '1' ? "layer 1" : layer_ == '2' ? "layer 2" : "layer 3";
  }
  std::size_t head_bytes() const override { return 0; }
  duration begin(std::string_view, std::uint64_t) override {
    header_bytes_ = 0;
    frame_left_ = 0;
    is_lost_ = false;
    return {};
  }
  bool reads_bodies() const override { return !is_lost_; }
  duration body(std::string_view piece) override {
    duration played;
    while (!piece.empty() && !is_lost_) {
      if (frame_left_ > 0) {
        const auto passed = std::min(frame_left_, piece.size());
        frame_left_ -= passed;
        piece.remove_prefix(passed);
      } else {
        played += read_header(byte_at(piece, 0));
        piece.remove_prefix(1);
      }
    }
    return played;
  }
  duration longest() const override { return duration::of_samples(1152, 8000); }

 private:
  static constexpr std::size_t whole_header = 4;

  duration read_header(std::uint8_t byte) {
    if (header_bytes_ == 0 && byte == 0) return {};
    bits_ = bits_ << 8 | byte;
    if (++header_bytes_ < whole_header) return {};
    header_bytes_ = 0;
    const mpeg_header header{bits_};
    is_lost_ = header.frame_bytes() < whole_header;
    if (is_lost_) return {};
    frame_left_ = header.frame_bytes() - whole_header;
    return header.length();
  }

  char layer_;
  std::uint32_t bits_ = 0;
  std::size_t header_bytes_ = 0, frame_left_ = 0;
  bool is_lost_ = false;  // the rest of this packet is not a frame
};

}  // namespace tollgate::routes::meters
