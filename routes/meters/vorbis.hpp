// Vorbis packets (Vorbis I specification, https://xiph.org/vorbis/doc/Vorbis_I_spec.html).
#pragma once

#include <array>
#include <optional>
#include <string>

#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

// Which packets are long blocks and which are short: the mode list at the end of the setup header.
struct vorbis_modes {
  std::uint64_t long_blocks = 0;  // one bit per mode
  std::uint8_t bits = 0;          // how many bits of a packet give its mode

  // Parses the whole setup header packet from the front, as decoders must. Searching for the list
  // from the end would be shorter, but a crafted header could mislead it.
  static std::optional<vorbis_modes> read(std::string_view setup, unsigned channels);
};

// A packet plays the second half of the previous block, overlapped with the first half of its own.
// So the first packet of a stream plays nothing (section 4.3.8).
class vorbis_packets final : public packet_codec {
 public:
  static constexpr std::size_t identification_bytes = 30;
  static std::unique_ptr<vorbis_packets> open(std::string_view identification);

  std::uint32_t rate() const { return rate_; }

  std::string_view name() const override { return "vorbis"; }
  std::size_t head_bytes() const override { return 1; }
  duration begin(std::string_view head, std::uint64_t size) override;
  // After the setup header, no body is needed.
  bool reads_bodies() const override { return collecting_; }
  duration body(std::string_view piece) override;
  duration longest() const override { return overlaps_[3]; }

 private:
  // libvorbis writes setup headers of 3 to 8 KiB. A longer one than this is not read; then each
  // block counts as a long one.
  static constexpr std::size_t most_setup_bytes = 16 * 1024;

  vorbis_packets(std::uint32_t rate, unsigned channels, unsigned short_block, unsigned long_block);
  void read_setup();
  bool is_long(std::uint8_t first_byte) const;

  std::uint32_t rate_;
  unsigned channels_;
  // The duration of a packet. Index: 1 if the previous block was long, plus 2 if this one is.
  std::array<duration, 4> overlaps_;
  std::optional<vorbis_modes> modes_;
  std::string setup_;
  bool collecting_ = false;
  bool first_ = true, long_before_ = false;
};

}  // namespace tollgate::routes::meters
