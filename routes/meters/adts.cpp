#include "routes/meters/adts.hpp"

#include <algorithm>
#include <string>

#include "routes/meters/aac/raw_data_block.hpp"
#include "routes/meters/framed_meter.hpp"

namespace tollgate::routes::meters {
namespace {

// The fixed part, 28 bits: sync word, version, layer, protection, profile, rate, channels. The rest
// includes 13 bits of frame length.
class adts_header {
 public:
  static constexpr std::size_t size = 7;
  static constexpr unsigned enough_frames =
      3;  // after which ffmpeg is sure, at the start of the input
  static constexpr std::size_t longest_frame = 8191;
  static constexpr bool is_read_whole = true;

  adts_header() = default;
  explicit adts_header(const char* bytes) : bits_{big_endian({bytes, size})} {}

  std::size_t frame_bytes() const {
    const bool valid = (bits_ >> 40 & 0xFFF6) == 0xFFF0 && rate() != 0;
    const auto bytes = static_cast<std::size_t>(bits_ >> 13 & 0x1FFF);
    return valid && bytes >= size ? bytes : 0;
  }
  duration length_of_block() const { return duration::of_samples(1024, rate()); }
  duration length() const { return duration::times(length_of_block(), said_blocks()); }

  // The number of blocks that the header states.
  std::size_t said_blocks() const { return (bits_ & 3) + 1; }
  bool has_checksum() const { return (bits_ >> 40 & 1) == 0; }
  std::size_t content_at() const { return size + (has_checksum() ? 2 : 0); }
  std::optional<aac::format> format() const {
    constexpr std::uint64_t scalable_rate = 2;
    const auto profile = bits_ >> 38 & 3;
    if (profile == scalable_rate) return {};
    constexpr aac::profile profiles[]{aac::profile::main, aac::profile::low_complexity,
                                      aac::profile::low_complexity,
                                      aac::profile::long_term_prediction};
    return aac::format{static_cast<unsigned>(bits_ >> 34 & 15), false, profiles[profile]};
  }

  // The private bit and the fields after the channels may change.
  bool consistent_with(adts_header other) const {
    constexpr std::uint64_t mask = 0xFFFE'FDC0'0000'00;
    return ((bits_ ^ other.bits_) & mask) == 0;
  }

 private:
  std::uint32_t rate() const {
    constexpr std::uint32_t rates[16]{96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                      22050, 16000, 12000, 11025, 8000,  7350};
    return rates[bits_ >> 34 & 15];
  }

  std::uint64_t bits_ = 0;
};

class adts_meter final : public framed_meter<adts_header> {
 public:
  std::string_view container() const override { return codec().empty() ? "" : "adts"; }
  std::string_view codec() const override { return status() == state::measuring ? "aac" : ""; }

 private:
  // Decoders play every block in a frame and obey a header inside a frame.
  std::optional<duration> length_of(const adts_header& header, std::string_view frame) override {
    const auto format = header.format();
    if (!format || (header.has_checksum() && header.said_blocks() > 1)) return {};
    const auto blocks = frame.substr(std::min(header.content_at(), frame.size()));
    padded_.assign(blocks).append(aac::padding, '\0');
    const auto found =
        aac::count_blocks(std::string_view{padded_}.substr(0, blocks.size()), *format);
    if (found.unusual) return {};
    return duration::times(header.length_of_block(), std::max(found.blocks, header.said_blocks()));
  }

  std::string padded_;
};

}  // namespace

std::unique_ptr<meter> make_adts_meter() {
  return std::make_unique<adts_meter>();
}

}  // namespace tollgate::routes::meters
