#include "routes/meters/wav_format.hpp"

#include "routes/meters/bytes.hpp"

namespace tollgate::routes::meters {
namespace {

// Registered format tags (RFC 2361, Microsoft's mmreg.h).
enum tag : std::uint16_t {
  tag_pcm = 0x0001,
  tag_ms_adpcm = 0x0002,
  tag_ieee_float = 0x0003,
  tag_a_law = 0x0006,
  tag_mu_law = 0x0007,
  tag_ima_adpcm = 0x0011,
  tag_gsm_610 = 0x0031,
  tag_mpeg = 0x0050,
  tag_mp3 = 0x0055,
  tag_aac = 0x00FF,
  tag_adts = 0x1600,
  tag_extensible = 0xFFFE,
};

struct fields {
  std::uint32_t tag = 0, channels = 0, rate = 0, block_bytes = 0, bits = 0;
};

std::uint32_t number(std::string_view chunk, std::size_t at, std::size_t bytes, byte_order order) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value = value << 8 | byte_at(chunk, order == byte_order::big ? at + i : at + bytes - 1 - i);
  return value;
}

// WAVEFORMATEXTENSIBLE has the tag in the first bytes of a GUID whose other bytes are constant, and
// states how many of the bits are used.
void read_extension(std::string_view chunk, byte_order order, fields& out) {
  constexpr std::string_view base{"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14};
  if (chunk.size() < 40 || number(chunk, 16, 2, order) < 22) return;
  if (const auto used = number(chunk, 18, 2, order); used != 0) out.bits = used;
  out.tag = chunk.substr(26, 14) == base ? number(chunk, 24, 2, order) : 0;
}

std::optional<fields> read_fields(std::string_view chunk, byte_order order) {
  if (chunk.size() < 14) return std::nullopt;
  fields out{number(chunk, 0, 2, order), number(chunk, 2, 2, order), number(chunk, 4, 4, order),
             number(chunk, 12, 2, order), 8};
  if (chunk.size() >= 16) out.bits = number(chunk, 14, 2, order);
  if (out.tag == tag_extensible) read_extension(chunk, order, out);
  return out;
}

// ffmpeg rounds the bits up to bytes, and does not support PCM of 5 to 7 bytes.
std::optional<wav_format> integers(const fields& f, byte_order order) {
  constexpr std::string_view little[]{"", "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le",
                                      "", "",       "",          "pcm_s64le"};
  constexpr std::string_view big[]{"", "pcm_u8", "pcm_s16be", "pcm_s24be", "pcm_s32be",
                                   "", "",       "",          "pcm_s64be"};
  if (f.bits == 0 || f.bits > 64) return std::nullopt;
  auto bytes = (f.bits + 7) / 8;
  const auto codec = order == byte_order::big ? big[bytes] : little[bytes];
  if (codec.empty()) return std::nullopt;
  // The only case where the block size matters: 24 bits in 32-bit containers.
  if (f.bits == 24 && f.block_bytes == f.channels * 4) bytes = 4;
  wav_format out{{}, codec, block_layout::pcm(f.rate, f.channels, bytes)};
  out.is_pcm = true;
  if (codec == "pcm_s16le") out.is = wav_format::data::maybe_frames;
  return out;
}

std::optional<wav_format> floats(const fields& f, byte_order order) {
  const bool big = order == byte_order::big;
  if (f.bits == 32)
    return wav_format{
        {}, big ? "pcm_f32be" : "pcm_f32le", block_layout::pcm(f.rate, f.channels, 4)};
  if (f.bits == 64)
    return wav_format{
        {}, big ? "pcm_f64be" : "pcm_f64le", block_layout::pcm(f.rate, f.channels, 8)};
  return std::nullopt;
}

// Without a block size, ffmpeg decodes what it reads at once.
constexpr std::uint32_t ffmpeg_packet_bytes = 4096;

// Each block begins with the state of each channel, which is one sample (IMA) or two (Microsoft).
wav_format adpcm(const fields& f, std::string_view codec, std::uint64_t header_bytes,
                 std::uint64_t header_samples, std::uint32_t bits) {
  block_layout layout{f.rate, f.block_bytes == 0 ? ffmpeg_packet_bytes : f.block_bytes,
                      header_bytes * f.channels, header_samples, std::uint64_t{bits} * f.channels};
  if (layout.block_bytes < layout.header_bytes) layout.rate = 0;
  return {{}, codec, layout};
}

// Two frames of 160 samples in 65 bytes; MSN Messenger omitted bits, down to 41 bytes.
std::optional<wav_format> gsm(const fields& f) {
  if (f.block_bytes < 41 || f.block_bytes > 65) return std::nullopt;
  return wav_format{{}, "gsm_ms", block_layout::whole_blocks(f.rate, f.block_bytes, 320)};
}

std::optional<wav_format> by_tag(const fields& f, byte_order order) {
  switch (f.tag) {
    case tag_pcm:
      return integers(f, order);
    case tag_ieee_float:
      return floats(f, order);
    case tag_a_law:
      return wav_format{{}, "pcm_alaw", block_layout::pcm(f.rate, f.channels, 1)};
    case tag_mu_law:
      return wav_format{{}, "pcm_mulaw", block_layout::pcm(f.rate, f.channels, 1)};
    case tag_ms_adpcm:
      return adpcm(f, "adpcm_ms", 7, 2, 4);
    case tag_ima_adpcm:
      if (f.bits < 2 || f.bits > 5) return std::nullopt;
      return adpcm(f, "adpcm_ima_wav", 4, 1, f.bits);
    case tag_gsm_610:
      return gsm(f);
    case tag_mpeg:
    case tag_mp3:
      return wav_format{wav_format::data::mpeg_frames, "mp3", {}};
    case tag_aac:
    case tag_adts:
      return wav_format{wav_format::data::adts_frames, "aac", {}};
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<wav_format> read_wav_format(std::string_view chunk, byte_order order) {
  const auto read = read_fields(chunk, order);
  if (!read || read->channels == 0) return std::nullopt;
  const auto format = by_tag(*read, order);
  const bool frames = format && (format->is == wav_format::data::mpeg_frames ||
                                 format->is == wav_format::data::adts_frames);
  if (format && !frames && !format->layout.sound()) return std::nullopt;
  return format;
}

}  // namespace tollgate::routes::meters
