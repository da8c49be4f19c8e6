#include "routes/meters/mp4/audio_specific_config.hpp"

#include <array>

#include "routes/meters/mp4/bytes.hpp"

namespace tollgate::routes::meters::mp4 {
namespace {

enum tag : std::uint8_t { es_descriptor = 3, decoder_config = 4, decoder_specific_info = 5 };

// A descriptor starts with a tag and a length in groups of seven bits. Removes both from `bytes`
// and returns the content, which may be truncated.
std::optional<std::string_view> open_descriptor(std::string_view& bytes, tag wanted) {
  if (u8(bytes, 0) != wanted) return {};
  std::uint64_t length = 0;
  std::size_t at = 1;
  for (bool more = true; more; ++at) {
    if (at > 4 || at >= bytes.size()) return {};
    length = length << 7 | (u8(bytes, at) & 0x7F);
    more = (u8(bytes, at) & 0x80) != 0;
  }
  bytes.remove_prefix(at);
  return bytes.substr(0, length);
}

bool skip(std::string_view& bytes, std::size_t n) {
  if (n > bytes.size()) return false;
  bytes.remove_prefix(n);
  return true;
}

// Skips ES_ID and the optional fields that the flags announce.
bool skip_es_head(std::string_view& bytes) {
  const auto flags = u8(bytes, 2);
  if (!skip(bytes, 3)) return false;
  if ((flags & 0x80) != 0 && !skip(bytes, 2)) return false;
  if ((flags & 0x40) != 0 && !skip(bytes, 1 + u8(bytes, 0))) return false;
  return (flags & 0x20) == 0 || skip(bytes, 2);
}

class bit_reader {
 public:
  explicit bit_reader(std::string_view bytes) : bytes_{bytes} {}
  std::uint32_t take(unsigned bits) {
    std::uint32_t value = 0;
    for (; bits > 0; --bits, ++at_) value = value << 1 | (u8(bytes_, at_ / 8) >> (7 - at_ % 8) & 1);
    return value;
  }
  bool overrun() const { return at_ > bytes_.size() * 8; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

enum object_type : std::uint32_t {
  main = 1,
  low_complexity = 2,
  scalable_rate = 3,
  long_term_prediction = 4,
  spectral_band_replication = 5,
  er_low_complexity = 17,
  er_long_term_prediction = 19,
  er_low_delay = 23,
  parametric_stereo = 29,
  er_enhanced_low_delay = 39
};

std::uint32_t take_object_type(bit_reader& bits) {
  const auto type = bits.take(5);
  return type == 31 ? 32 + bits.take(6) : type;
}

std::uint32_t take_rate(bit_reader& bits) {
  constexpr std::array<std::uint32_t, 13> rates{96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                                22050, 16000, 12000, 11025, 8000,  7350};
  const auto index = bits.take(4);
  if (index == 15) return bits.take(24);
  return index < rates.size() ? rates[index] : 0;
}

// The frame lengths without and with frameLengthFlag; 0 for unsupported object types.
std::array<std::uint32_t, 2> frame_lengths(std::uint32_t type) {
  switch (type) {
    case main:
    case low_complexity:
    case scalable_rate:
    case long_term_prediction:
    case er_low_complexity:
    case er_long_term_prediction:
      return {1024, 960};
    case er_low_delay:
    case er_enhanced_low_delay:
      return {512, 480};
    default:
      return {0, 0};
  }
}

std::optional<aac::profile> profile_of(std::uint32_t type) {
  if (type == main) return aac::profile::main;
  if (type == low_complexity) return aac::profile::low_complexity;
  if (type == long_term_prediction) return aac::profile::long_term_prediction;
  return {};
}

}  // namespace

std::optional<elementary_stream> read_elementary_stream(std::string_view esds) {
  auto es = open_descriptor(esds, es_descriptor);
  if (!es || !skip_es_head(*es)) return {};
  auto config = open_descriptor(*es, decoder_config);
  if (!config || config->empty()) return {};
  elementary_stream out{u8(*config, 0), {}};
  // objectTypeIndication, streamType, bufferSizeDB, maxBitrate, avgBitrate
  if (!skip(*config, 13)) return out;
  if (const auto info = open_descriptor(*config, decoder_specific_info)) out.decoder_info = *info;
  return out;
}

std::optional<aac_config> read_audio_specific_config(std::string_view config) {
  bit_reader bits{config};
  auto type = take_object_type(bits);
  const auto rate = take_rate(bits);
  bits.take(4);  // channels
  if (type == spectral_band_replication || type == parametric_stereo) {
    // Twice the core's rate, or the same: anything else is ambiguous.
    if (const auto doubled = take_rate(bits); doubled != rate && doubled != 2 * rate) return {};
    type = take_object_type(bits);
  }
  const auto frame = frame_lengths(type)[bits.take(1)];
  if (bits.overrun() || rate == 0 || frame == 0) return {};
  return aac_config{rate, frame, profile_of(type)};
}

}  // namespace tollgate::routes::meters::mp4
