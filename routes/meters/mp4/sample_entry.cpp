#include "routes/meters/mp4/sample_entry.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "routes/meters/mp4/audio_specific_config.hpp"

namespace tollgate::routes::meters::mp4 {
namespace {

// 6144 bits a channel: the decoder input buffer, which no frame exceeds (ISO/IEC 14496-3, 4.5.3.1).
constexpr std::uint64_t aac_bytes_a_channel = 768;

struct known_format {
  fourcc format;
  std::string_view codec;
  std::uint64_t least = 0, most = any_number;
  std::uint32_t rate = 0;
};

// Until its decoder configuration is read, a format is held to the least that any may hold.
constexpr std::array known_formats{
    known_format{name("mp4a"), "aac", 480},
    known_format{name("alac"), "alac"},
    known_format{name("Opus"), "opus", 120, 5760, 48000},
    known_format{name("fLaC"), "flac", 16},
    known_format{name("samr"), "amr_nb", 160, any_number, 8000},
    known_format{name("sawb"), "amr_wb", 320, any_number, 16000},
    known_format{name("ac-3"), "ac3", 1536, 1536},
    known_format{name("ec-3"), "eac3", 256},
    known_format{name(".mp3"), "mp3", 576},
    known_format{name("mp3 "), "mp3", 576},
    known_format{0x6D730055, "mp3", 576},  // 'ms', and the tag of RIFF
};

struct pcm_format {
  fourcc format;
  std::string_view codec;
  unsigned bits = 0;  // 0: the entry says
};

constexpr std::array pcm_formats{
    pcm_format{name("sowt"), "pcm_s16le"},     pcm_format{name("twos"), "pcm_s16be"},
    pcm_format{name("raw "), "pcm_u8"},        pcm_format{name("NONE"), "pcm_u8"},
    pcm_format{name("in24"), "pcm_s24be", 24}, pcm_format{name("in32"), "pcm_s32be", 32},
    pcm_format{name("fl32"), "pcm_f32be", 32}, pcm_format{name("fl64"), "pcm_f64be", 64},
    pcm_format{name("lpcm"), "pcm"},           pcm_format{name("ipcm"), "pcm"},
    pcm_format{name("fpcm"), "pcm"},           pcm_format{name("ulaw"), "pcm_mulaw", 8},
    pcm_format{name("alaw"), "pcm_alaw", 8},
};

struct entry_fields {
  std::uint64_t channels, bits;
  std::uint32_t rate;
};

// Version 2 has its own fields (QuickTime File Format, "Sound Sample Description (Version 2)").
entry_fields read_fields(std::string_view head, unsigned version) {
  if (version != 2) return {u16(head, 16), u16(head, 18), u32(head, 24) >> 16};
  const auto rate = std::bit_cast<double>(u64(head, 32));
  const bool sane = rate >= 1 && rate <= 10'000'000;
  return {u32(head, 40), u32(head, 48), sane ? static_cast<std::uint32_t>(rate) : 0};
}

template <class Formats>
auto find_format(const Formats& formats, fourcc format) {
  return std::find_if(formats.begin(), formats.end(),
                      [format](const auto& known) { return known.format == format; });
}

codec_description describe(fourcc format, const entry_fields& fields) {
  if (const auto* pcm = find_format(pcm_formats, format); pcm != pcm_formats.end()) {
    const auto bits = pcm->bits > 0 ? pcm->bits : fields.bits;
    return {pcm->codec, 1, 1, fields.rate, (bits + 7) / 8 * fields.channels, 0};
  }
  if (const auto* known = find_format(known_formats, format); known != known_formats.end())
    return {known->codec, known->least, known->most, known->rate > 0 ? known->rate : fields.rate};
  return {};
}

void read_esds(std::string_view content, codec_description& out) {
  constexpr std::uint8_t mpeg2_layer3 = 0x69, mpeg1_layer3 = 0x6B;
  const auto stream =
      read_elementary_stream(content.substr(std::min<std::size_t>(4, content.size())));
  if (!stream) return;
  if (stream->object_type == mpeg2_layer3 || stream->object_type == mpeg1_layer3) {
    out = {"mp3", out.rate >= 32000 ? 1152U : 576U, any_number, out.rate, 0, 0};
  } else if (const auto aac = read_audio_specific_config(stream->decoder_info)) {
    out = {"aac",
           aac->frame_samples,
           aac->frame_samples,
           aac->rate,
           0,
           aac_bytes_a_channel * aac->channels};
  }
}

// STREAMINFO behind the head of its metadata block (RFC 9639, 8.2). The least is that of all blocks
// but the last.
void read_flac(std::string_view content, codec_description& out) {
  const std::uint64_t least = u16(content, 8), most = u16(content, 10);
  if (content.size() < 42 || least < 16 || most < least) return;
  out = {"flac", least, most, u32(content, 18) >> 12, 0, 0};
}

// ALACSpecificConfig: frameLength first, sampleRate last.
void read_alac(std::string_view content, codec_description& out) {
  if (content.size() < 28 || u32(content, 4) == 0) return;
  out = {"alac", u32(content, 4), u32(content, 4), u32(content, 24), 0, 0};
}

}  // namespace

sample_entry read_sample_entry(fourcc format, std::string_view head, unsigned stsd_version) {
  // ISO has a version 1 as well, which it tells by that of the stsd box and which adds no fields.
  const auto version = stsd_version == 0 ? u16(head, 8) : 0U;
  const std::uint64_t extra = version == 1 ? 16 : version == 2 ? 36 : 0;
  return {describe(format, read_fields(head, version)), 28 + extra};
}

void read_decoder_config(fourcc box, std::string_view content, codec_description& out) {
  if (box == name("esds")) read_esds(content, out);
  if (box == name("dfLa")) read_flac(content, out);
  if (box == name("alac")) read_alac(content, out);
}

}  // namespace tollgate::routes::meters::mp4
