// Codecs that only MP4 and QuickTime use.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "routes/meters/amr_frames.hpp"
#include "routes/meters/bytes.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters::mp4 {

// PCM, ADPCM and GSM: a sample has as many audio samples as it has whole or started pieces of one
// size. Counted in audio samples, so rates that do not divide a flick do not drift.
class piece_packets final : public packet_codec {
 public:
  struct piece {
    std::uint64_t bytes = 1, samples = 1;
  };
  piece_packets(std::string_view name, std::uint32_t rate, piece one)
      : name_{name}, rate_{rate}, one_{one} {}

  std::string_view name() const override { return name_; }
  std::size_t head_bytes() const override { return 0; }
  duration begin(std::string_view, std::uint64_t) override {
    bytes_ = 0;
    return {};
  }
  bool reads_bodies() const override { return true; }
  duration body(std::string_view more) override {
    const auto before = pieces_in(bytes_);
    bytes_ += more.size();
    samples_ += (pieces_in(bytes_) - before) * one_.samples;
    const auto reported = played_;
    played_ = duration::of_samples(samples_, rate_);
    return played_ - reported;
  }
  duration longest() const override { return duration::of_samples(one_.samples, rate_); }

 private:
  // A PCM frame must be complete; a truncated block is played as far as it goes.
  std::uint64_t pieces_in(std::uint64_t bytes) const {
    return (bytes + (one_.samples == 1 ? 0 : one_.bytes - 1)) / one_.bytes;
  }

  std::string_view name_;
  std::uint32_t rate_;
  piece one_;
  std::uint64_t bytes_ = 0, samples_ = 0;
  duration played_;
};

// Consecutive frames whose first bytes give their size and duration. A sample must contain whole
// frames only. `Header` has `size` (the bytes it examines), `bytes()` (0: not a header) and
// `length()`.
template <class Header>
class chain_packets final : public packet_codec {
 public:
  template <class... Arguments>
  explicit chain_packets(std::string_view name, Arguments... of) : name_{name}, header_{of...} {}

  std::string_view name() const override { return name_; }
  std::size_t head_bytes() const override { return 0; }
  duration begin(std::string_view, std::uint64_t) override {
    // Some readers continue the frame in the next sample.
    is_unclear_ = is_unclear_ || frame_left_ > 0 || gathered_ > 0;
    return {};
  }
  bool reads_bodies() const override { return true; }
  duration body(std::string_view piece) override {
    duration played;
    while (!piece.empty() && !is_unclear_) {
      if (frame_left_ > 0) {
        const auto passed = std::min<std::uint64_t>(frame_left_, piece.size());
        frame_left_ -= passed;
        piece.remove_prefix(static_cast<std::size_t>(passed));
        continue;
      }
      head_[gathered_++] = piece.front();
      piece.remove_prefix(1);
      if (gathered_ == Header::size) played += open_frame();
    }
    return played;
  }
  bool is_unclear() const override { return is_unclear_; }
  duration longest() const override { return {}; }

 private:
  duration open_frame() {
    gathered_ = 0;
    header_.read({head_.data(), Header::size});
    is_unclear_ = header_.bytes() < Header::size;
    if (is_unclear_) return {};
    frame_left_ = header_.bytes() - Header::size;
    return header_.length();
  }

  std::string_view name_;
  Header header_;
  std::array<char, Header::size> head_{};
  std::size_t gathered_ = 0;
  std::uint64_t frame_left_ = 0;
  bool is_unclear_ = false;
};

class amr_header {
 public:
  static constexpr std::size_t size = 1;
  explicit amr_header(bool wide = false) : wide_{wide} {}
  void read(std::string_view first) {
    bytes_ = amr_frame_bytes(wide_ ? amr_wide_band : amr_narrow_band, byte_at(first, 0));
  }
  std::size_t bytes() const { return bytes_; }
  duration length() const { return duration::of_samples(1, 50); }

 private:
  bool wide_;
  std::size_t bytes_ = 0;
};

class layer_header {
 public:
  static constexpr std::size_t size = 4;
  void read(std::string_view head);
  std::size_t bytes() const { return bytes_; }
  duration length() const { return length_; }

 private:
  std::size_t bytes_ = 0;
  duration length_;
};

// AC-3 and E-AC-3 (ETSI TS 102 366, 4.3 and E.1.2).
class ac3_header {
 public:
  static constexpr std::size_t size = 6;
  void read(std::string_view head);
  std::size_t bytes() const { return bytes_; }
  duration length() const { return length_; }

 private:
  void read_enhanced(std::string_view head);
  std::size_t bytes_ = 0;
  duration length_;
};

// A frame states its number of samples only if it differs from the usual one.
class alac_packets final : public packet_codec {
 public:
  alac_packets(std::uint32_t rate, std::uint32_t frame_samples)
      : rate_{rate}, frame_samples_{frame_samples} {}

  std::string_view name() const override { return "alac"; }
  std::size_t head_bytes() const override { return 7; }
  duration begin(std::string_view head, std::uint64_t) override;
  duration longest() const override { return duration::of_samples(frame_samples_, rate_); }

 private:
  std::uint32_t rate_, frame_samples_;
};

}  // namespace tollgate::routes::meters::mp4
