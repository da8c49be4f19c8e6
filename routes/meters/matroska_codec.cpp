#include "routes/meters/matroska_codec.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "routes/meters/ac3_packets.hpp"
#include "routes/meters/alac_packets.hpp"
#include "routes/meters/bytes.hpp"
#include "routes/meters/flac_packets.hpp"
#include "routes/meters/mpeg_packets.hpp"
#include "routes/meters/opus.hpp"
#include "routes/meters/simple_packets.hpp"
#include "routes/meters/vorbis.hpp"

namespace tollgate::routes::meters {
namespace {

// As in ffmpeg: 8000 if the value is not a valid sampling frequency.
std::uint32_t whole_rate(double frequency) {
  const bool is_one = std::isfinite(frequency) && frequency >= 1 && frequency <= 2'147'483'647;
  return is_one ? static_cast<std::uint32_t>(std::lround(frequency)) : 8000;
}

// Section 5.1.4.1.22 and the codec mapping of A_VORBIS: the number of packets minus one, the sizes
// of all but the last in Xiph lacing, then the three header packets.
std::unique_ptr<packet_codec> vorbis_of_private(std::string_view codec_private) {
  if (codec_private.empty() || codec_private[0] != 2) return nullptr;
  std::size_t at = 1;
  std::array<std::size_t, 2> sizes{};
  for (auto& size : sizes) {
    std::uint8_t byte = 255;
    for (; byte == 255 && at < codec_private.size(); size += byte)
      byte = byte_at(codec_private, at++);
  }
  auto rest = codec_private.substr(at);
  auto vorbis = vorbis_packets::open(rest.substr(0, sizes[0]));
  if (vorbis == nullptr) return nullptr;
  for (const auto size : sizes) rest.remove_prefix(std::min(size, rest.size()));
  vorbis->begin(rest.substr(0, 1), rest.size());
  if (vorbis->reads_bodies()) vorbis->body(rest);
  return vorbis;
}

// The start of a native FLAC stream, up to its first metadata block.
std::unique_ptr<packet_codec> flac_of_private(std::string_view codec_private) {
  constexpr std::size_t stream_info = 8;
  if (codec_private.size() < stream_info + flac_format::stream_info_bytes) return nullptr;
  return std::make_unique<flac_packets>(
      flac_format::of_stream_info(codec_private.substr(stream_info)));
}

// Old files have no configuration and name the profile in the codec id. If they do not, decoders
// allow for LTP.
std::optional<aac::profile> profile_of(std::string_view codec_id) {
  const auto names = [codec_id](std::string_view name) {
    return codec_id.find(name) != codec_id.npos;
  };
  if (names("MAIN")) return aac::profile::main;
  if (names("LC")) return aac::profile::low_complexity;
  if (names("SSR")) return {};
  return aac::profile::long_term_prediction;
}

std::unique_ptr<packet_codec> aac_of(const track_entry& track) {
  auto config = mp4::read_audio_specific_config(track.codec_private);
  if (track.codec_private.empty())
    config =
        mp4::aac_config{whole_rate(track.sampling_frequency), 1024, profile_of(track.codec_id)};
  if (!config || !aac_packets::follows(*config)) return nullptr;
  return std::make_unique<aac_packets>(*config);
}

// Decoders read any other depth as 16 bits (integers) or 32 bits (floats). No muxer writes one.
std::unique_ptr<packet_codec> pcm_of(const track_entry& track) {
  const auto bits = track.bit_depth;
  const bool is_float = track.codec_id == "A_PCM/FLOAT/IEEE";
  const bool known =
      is_float ? bits == 32 || bits == 64 : bits == 8 || bits == 16 || bits == 24 || bits == 32;
  constexpr std::uint64_t most_channels = 64;
  if (!known || track.channels == 0 || track.channels > most_channels) return nullptr;
  return std::make_unique<pcm_packets>(whole_rate(track.sampling_frequency),
                                       bits / 8 * track.channels);
}

bool is_opus(const track_entry& track) {
  return track.codec_id == "A_OPUS";
}

}  // namespace

// Codec ids: https://www.matroska.org/technical/codec_specs.html.
std::unique_ptr<packet_codec> make_codec(const track_entry& track) {
  if (!track.has_plain_frames()) return nullptr;
  const std::string_view id = track.codec_id;
  if (is_opus(track)) return std::make_unique<opus_packets>();
  if (id == "A_VORBIS") return vorbis_of_private(track.codec_private);
  if (id == "A_FLAC") return flac_of_private(track.codec_private);
  if (id.starts_with("A_AAC")) return aac_of(track);
  if (id == "A_MPEG/L1" || id == "A_MPEG/L2" || id == "A_MPEG/L3")
    return std::make_unique<mpeg_packets>(id.back());
  if (id == "A_AC3" || id == "A_EAC3") return std::make_unique<ac3_packets>(id == "A_EAC3");
  if (id == "A_ALAC") return alac_packets::open(track.codec_private);
  if (id == "A_PCM/INT/LIT" || id == "A_PCM/INT/BIG" || id == "A_PCM/FLOAT/IEEE")
    return pcm_of(track);
  return nullptr;
}

duration codec_delay(const track_entry& track) {
  const std::string_view head = track.codec_private;
  if (!is_opus(track) || head.size() < 12) return {};
  return opus_packets::of_samples(little_endian<std::uint16_t>(head, 10));
}

}  // namespace tollgate::routes::meters
