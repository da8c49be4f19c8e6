#include "routes/meters/mp4/sample_entry.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "routes/meters/flac_packets.hpp"
#include "routes/meters/opus.hpp"
#include "routes/meters/simple_packets.hpp"

namespace tollgate::routes::meters::mp4 {
namespace {

// The range that encoders write. Decoders read other values in different ways.
constexpr std::uint32_t least_rate = 1000, most_rate = 768'000;
constexpr std::uint64_t most_channels = 64;

struct pcm_codec {
  fourcc format;
  std::string_view codec;
  unsigned bits = 0;  // 0: the entry states it
};

constexpr std::array pcm_formats{
    pcm_codec{name("sowt"), "pcm_s16le"},     pcm_codec{name("twos"), "pcm_s16be"},
    pcm_codec{name("raw "), "pcm_u8"},        pcm_codec{name("NONE"), "pcm_u8"},
    pcm_codec{name("in24"), "pcm_s24be", 24}, pcm_codec{name("in32"), "pcm_s32be", 32},
    pcm_codec{name("fl32"), "pcm_f32be", 32}, pcm_codec{name("fl64"), "pcm_f64be", 64},
    pcm_codec{name("lpcm"), "pcm"},           pcm_codec{name("ipcm"), "pcm"},
    pcm_codec{name("fpcm"), "pcm"},           pcm_codec{name("ulaw"), "pcm_mulaw", 8},
    pcm_codec{name("alaw"), "pcm_alaw", 8},
};

// 'ms' and a RIFF format tag.
constexpr fourcc of_riff(std::uint16_t tag) {
  return 0x6D730000 | tag;
}

}  // namespace

sample_description::sample_description(fourcc format, std::string_view head,
                                       unsigned stsd_version) {
  // ISO also has a version 1. The stsd box's version identifies it, and it adds no fields.
  const auto version = stsd_version == 0 ? u16(head, 8) : 0U;
  head_size_ = 28 + (version == 1 ? 16 : version == 2 ? 36 : 0);
  describe(format, read_fields(head, version));
}

// Version 2 has fields of its own (QuickTime File Format, "Sound Sample Description (Version 2)").
sample_description::fields sample_description::read_fields(std::string_view head,
                                                           unsigned version) {
  fields out{u16(head, 16), u16(head, 18), u32(head, 24) >> 16};
  if (version == 1) {
    out.samples_a_packet = u32(head, 28);
    out.bytes_a_frame = u32(head, 36);
  }
  if (version != 2) return out;
  const auto rate = std::bit_cast<double>(u64(head, 32));
  const bool sane = rate >= 1 && rate <= most_rate;
  return {u32(head, 40), u32(head, 48), sane ? static_cast<std::uint32_t>(rate) : 0, u32(head, 60),
          u32(head, 56)};
}

void sample_description::describe(fourcc format, const fields& of) {
  for (const auto& pcm : pcm_formats)
    if (pcm.format == format) return describe_pcm(pcm.codec, pcm.bits > 0 ? pcm.bits : of.bits, of);
  const auto a_channel = [&of](std::uint64_t bytes) { return bytes * of.channels; };
  const auto block = of.bytes_a_frame;
  auto fixed = of;
  fixed.is_fixed = true;
  switch (format) {
    case name("mp4a"):
      codec_ = "aac";  // unless its configuration says otherwise
      return;
    case name(".mp3"):
    case name("mp3 "):
    case of_riff(0x55):
      codec_ = "mp3";
      kind_ = kind::layers;
      return;
    case name("alac"):
      codec_ = "alac";
      return;
    case name("fLaC"):
      codec_ = "flac";
      return;
    case name("Opus"):
      codec_ = "opus";
      kind_ = kind::opus;
      return;
    case name("samr"):
      codec_ = "amr_nb";
      kind_ = kind::amr;
      return;
    case name("sawb"):
      codec_ = "amr_wb";
      kind_ = kind::amr_wide;
      return;
    case name("ac-3"):
    case name("ec-3"):
      codec_ = format == name("ac-3") ? "ac3" : "eac3";
      kind_ = kind::ac3;
      return;
    case name("ima4"):
      return describe_pieces("adpcm_ima_qt", {a_channel(34), 64}, fixed);
    case of_riff(0x11):
      if (of.channels > 0 && block > a_channel(4))
        describe_pieces("adpcm_ima_wav", {block, (block - a_channel(4)) * 2 / of.channels + 1}, of);
      return;
    case of_riff(0x02):
      if (of.channels > 0 && block > a_channel(7))
        describe_pieces("adpcm_ms", {block, (block - a_channel(7)) * 2 / of.channels + 2}, of);
      return;
    case name("agsm"):
      return describe_pieces("gsm", {33, 160}, fixed);
    case of_riff(0x31):
      return describe_pieces("gsm_ms", {65, 320}, of);
    default:
      return;
  }
}

void sample_description::describe_pcm(std::string_view codec, std::uint64_t bits,
                                      const fields& of) {
  codec_ = codec;
  const bool ordinary = bits >= 8 && bits <= 64 && bits % 8 == 0 && of.samples_a_packet <= 1;
  if (ordinary) describe_pieces(codec, {bits / 8 * of.channels, 1}, of);
}

void sample_description::describe_pieces(std::string_view codec, piece_packets::piece one,
                                         const fields& of) {
  codec_ = codec;
  rate_ = of.rate;
  piece_ = one;
  const bool ordinary = of.rate >= least_rate && of.rate <= most_rate && of.channels > 0 &&
                        of.channels <= most_channels && one.bytes <= 65'536;
  // QuickTime's own fields must agree, because FFmpeg divides chunks by them. For IMA 4:1 and GSM
  // it knows the values, and does not write them.
  const bool alike = (of.samples_a_packet <= 1 && one.samples == 1) || of.is_fixed ||
                     (of.samples_a_packet == one.samples && of.bytes_a_frame == one.bytes);
  if (ordinary && alike) kind_ = kind::pieces;
}

std::optional<packing> sample_description::whole_chunks() const {
  if (kind_ != kind::pieces) return {};
  return packing{piece_.samples, piece_.bytes};
}

std::unique_ptr<packet_codec> sample_description::make_codec() const {
  if (configurations_ > 1) return nullptr;
  switch (kind_) {
    case kind::none:
      return nullptr;
    case kind::pieces:
      return std::make_unique<piece_packets>(codec_, rate_, piece_);
    case kind::aac:
      return std::make_unique<aac_packets>(aac_);
    case kind::layers:
      return std::make_unique<chain_packets<layer_header>>(codec_);
    case kind::opus:
      return std::make_unique<opus_packets>();
    case kind::flac:
      return std::make_unique<flac_packets>(flac_);
    case kind::alac:
      return std::make_unique<alac_packets>(rate_, frame_samples_);
    case kind::amr:
      return std::make_unique<chain_packets<amr_header>>(codec_, false);
    case kind::amr_wide:
      return std::make_unique<chain_packets<amr_header>>(codec_, true);
    case kind::ac3:
      return std::make_unique<chain_packets<ac3_header>>(codec_);
  }
  return nullptr;
}

// --- Configurations

void sample_description::configure(fourcc box, std::string_view content) {
  ++configurations_;
  if (box == name("esds") && codec_ == "aac") read_esds(content);
  if (box == name("dfLa") && codec_ == "flac") read_flac(content);
  if (box == name("alac") && codec_ == "alac") read_alac(content);
}

// Object types of ISO/IEC 14496-1, table 5, and of the MP4 registration authority.
void sample_description::read_esds(std::string_view content) {
  const auto stream =
      read_elementary_stream(content.substr(std::min<std::size_t>(4, content.size())));
  if (!stream) return;
  switch (stream->object_type) {
    case 0x69:
    case 0x6B:
      codec_ = "mp3";
      kind_ = kind::layers;
      return;
    case 0xA5:
    case 0xA6:
      codec_ = stream->object_type == 0xA5 ? "ac3" : "eac3";
      kind_ = kind::ac3;
      return;
    case 0x40:
    case 0x66:
    case 0x67:
    case 0x68:
      break;
    default:
      return;
  }
  const auto aac = read_audio_specific_config(stream->decoder_info);
  const bool followed = aac && aac_packets::follows(*aac);
  if (!followed) return;
  aac_ = *aac;
  kind_ = kind::aac;
}

// STREAMINFO after the head of its metadata block (RFC 9639, 8.2).
void sample_description::read_flac(std::string_view content) {
  constexpr std::size_t head = 8;
  if (content.size() < head + flac_format::stream_info_bytes) return;
  flac_ = flac_format::of_stream_info(content.substr(head));
  if (flac_.rate > 0) kind_ = kind::flac;
}

// ALACSpecificConfig: frameLength is the first field, sampleRate the last.
void sample_description::read_alac(std::string_view content) {
  if (content.size() < 28) return;
  frame_samples_ = u32(content, 4);
  rate_ = u32(content, 24);
  const bool ordinary =
      frame_samples_ > 0 && frame_samples_ <= 65'536 && rate_ >= least_rate && rate_ <= most_rate;
  if (ordinary) kind_ = kind::alac;
}

}  // namespace tollgate::routes::meters::mp4
