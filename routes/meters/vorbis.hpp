// Vorbis packets (Vorbis I specification, https://xiph.org/vorbis/doc/Vorbis_I_spec.html).
#pragma once

#include <array>
#include <optional>
#include <string>

#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

// Which packets are long blocks and which short: the mode list at the end of the setup header.
struct vorbis_modes {
  std::uint64_t long_blocks = 0;  // a bit for each mode
  std::uint8_t bits = 0;          // how many bits of a packet name its mode

  // The whole setup header packet is parsed from its front, as decoders must. Searching the list
  // from the packet's end would be shorter, and could be led astray by a crafted header.
  static std::optional<vorbis_modes> read(std::string_view setup, unsigned channels);
};

// A packet plays the second half of the block before, overlapped with the first half of its own, so
// that the first one of a stream plays nothing (section 4.3.8).
class vorbis_packets final : public packet_codec {
 public:
  static constexpr std::size_t identification_bytes = 30;
  static std::unique_ptr<vorbis_packets> open(std::string_view identification);

  std::uint32_t rate() const { return rate_; }

  std::string_view name() const override { return "vorbis"; }
  std::size_t head_bytes() const override { return 1; }
  duration begin(std::string_view head, std::uint64_t size) override;
  // Bodies of interest are over once the setup header has been read.
  bool reads_bodies() const override { return collecting_; }
  duration body(std::string_view piece) override;
  duration longest() const override { return overlaps_[3]; }

 private:
  // Setup headers of libvorbis are 3 to 8 KiB. One that is longer than this is not read; then each
  // block counts as a long one.
  static constexpr std::size_t most_setup_bytes = 16 * 1024;

  vorbis_packets(std::uint32_t rate, unsigned channels, unsigned short_block, unsigned long_block);
  void read_setup();
  bool is_long(std::uint8_t first_byte) const;

  std::uint32_t rate_;
  unsigned channels_;
  // What a packet plays, by: it is long, 2 | the one before was, 1.
  std::array<duration, 4> overlaps_;
  std::optional<vorbis_modes> modes_;
  std::string setup_;
  bool collecting_ = false;
  bool first_ = true, long_before_ = false;
};

}  // namespace tollgate::routes::meters
