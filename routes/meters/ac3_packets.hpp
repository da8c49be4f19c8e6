// AC-3 and E-AC-3 packets in a container.
#pragma once

#include <algorithm>
#include <array>

#include "routes/meters/ac3_header.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

// A packet should contain one frame, or one frame and those that add channels to it. Decoders play
// every frame in the packet and search for the next one after garbage, so every frame counts.
class ac3_packets final : public packet_codec {
 public:
  explicit ac3_packets(bool enhanced) : enhanced_{enhanced} {}

  std::string_view name() const override { return enhanced_ ? "eac3" : "ac3"; }
  std::size_t head_bytes() const override { return 0; }
  duration begin(std::string_view, std::uint64_t) override {
    kept_ = 0;
    frame_left_ = 0;
    return {};
  }
  bool reads_bodies() const override { return true; }
  duration body(std::string_view piece) override {
    duration played;
    while (!piece.empty()) {
      const auto passed = std::min(frame_left_, piece.size());
      frame_left_ -= passed;
      piece.remove_prefix(passed);
      if (piece.empty()) break;
      header_[kept_++] = piece.front();
      piece.remove_prefix(1);
      if (kept_ == ac3_header::size) played += read_header();
    }
    return played;
  }
  duration longest() const override { return duration::of_samples(1536, 8000); }

 private:
  duration read_header() {
    const ac3_header header{{header_.data(), kept_}};
    if (header.frame_bytes() == 0) {
      std::move(header_.begin() + 1, header_.end(), header_.begin());
      --kept_;
      return {};
    }
    kept_ = 0;
    frame_left_ = header.frame_bytes() - ac3_header::size;
    return header.length();
  }

  bool enhanced_;
  std::array<char, ac3_header::size> header_;
  std::size_t kept_ = 0, frame_left_ = 0;
};

}  // namespace tollgate::routes::meters
