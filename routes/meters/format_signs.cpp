#include "routes/meters/format_signs.hpp"

#include <algorithm>

#include "routes/meters/ac3_header.hpp"
#include "routes/meters/bytes.hpp"
#include "routes/meters/mpeg_header.hpp"

namespace tollgate::routes::meters {
namespace {

constexpr std::uint64_t ac3_head =
    16;  // length of the head that some cards write before each AC-3 frame
constexpr std::uint8_t enough_adts = 20, enough_ac3 = 3, enough_loas = 3;
// How often a sign must appear. ffmpeg requires at least as many.
constexpr unsigned enough_lossless = 4, enough_bursts = 2, enough_dts = 3, enough_packets = 5,
                   enough_pictures = 2;

// Frames in a row that do not occur in a picture by chance. ffmpeg requires more than a hundred
// after the start of a tag.
constexpr std::uint8_t enough_in_tag = 50;

}  // namespace

// In the few bytes after a long tag, two packets or three frames are enough for ffmpeg.
std::uint8_t format_signs::enough_of(std::uint8_t usual) const {
  if (what_ == of::tag) return enough_in_tag;
  return what_ == of::rest ? std::min<std::uint8_t>(usual, 3) : usual;
}

void format_signs::write(std::string_view piece) {
  if (found_ || at_ >= limit_) return;
  piece = piece.substr(0, static_cast<std::size_t>(limit_ - at_));
  for (const char c : piece) {
    before_ = before_ << 8 | word_ >> 56;
    word_ = word_ << 8 | static_cast<std::uint8_t>(c);
    // The first two bytes of a frame, possibly after zeros. Layer 0 is AAC's.
    if (begins_ == 0 && c != '\0') begins_ = at_ + 1;
    if (++at_ == begins_ + 1 && begins_ > 0) of_mpeg_ = (word_ & 6) != 0;
    look();
    if (found_) return;
  }
}

void format_signs::look() {
  const bool frames = what_ == of::frames || what_ == of::rest || is_of_tag();
  if (what_ == of::container || what_ == of::program || frames) look_for_containers();
  if (what_ != of::iec61937) look_for_lossless();
  if (frames) {
    look_for_program_stream();
    look_for_speech();
    look_for_adts();
  }
  if (frames || what_ == of::program) {
    look_for_transport_stream();
    look_for_modules();
    look_for_nullsoft();
  }
  if (is_of_tag()) {
    look_at_first_frame();
    look_for_sound_tracker();
    look_for_video();
  }
  if (what_ == of::pictures) look_for_frames();
  if (what_ != of::container && what_ != of::iec61937) look_for_samples();
  // IEC 61937: bursts begin with two sync words, here as 16-bit little-endian samples.
  if ((word_ >> 8 & 0xFFFFFFFF) == 0x72F81F4E && (word_ & 0xFF) < 0x37)
    found_ = found_ || ++bursts_ >= enough_bursts;
}

void format_signs::look_for_containers() {
  // The key of MXF's header partition; NUT's main header.
  if (word_ == 0x060E2B3402050101 || word_ == 0x4E4D7A561F5F04AD) found_ = true;
  // "MVE File" of Interplay; TiVo's signature. Both anywhere.
  if (word_ == 0x4D56452046696C65 || word_ == 0xF5467ABD00000002) found_ = true;
  look_at_places();
  // SMPTE 337M with bursts of 16, 20 or 24 bits.
  const auto word = word_ & 0xFFFFFFFF;
  if (word == 0xF8724E1F || word == 0xF872A54E || word == 0x72F8961F || word == 0xF87254E1)
    found_ = found_ || ++bursts_ >= enough_bursts;
}

// MLP and TrueHD.
void format_signs::look_for_lossless() {
  const auto word = word_ & 0xFFFFFFFF;
  if (word == 0xF8726FBA || word == 0xF8726FBB) found_ = found_ || ++lossless_ >= enough_lossless;
}

// A pack header together with other parts of an MPEG system stream; or more stream packets than
// false matches.
void format_signs::look_for_program_stream() {
  if (before_ >> 40 != 1) return;
  const auto code = before_ >> 32 & 0xFF;
  if (code == 0xBA) ++packs_;
  if (code == 0xBB) ++systems_;
  if (code != 0xBD && (code < 0xC0 || code > 0xEF)) return;
  const bool is_packet = is_packet_of_program_stream();
  if (is_packet) ++packets_;
  if (is_packet && code >= 0xE0) ++pictures_;
  if (!is_packet) ++no_packets_;
  const bool many =
      packets_ >= (what_ == of::rest ? 2 : enough_packets) || pictures_ >= enough_pictures;
  found_ = found_ || (packs_ > 0 && packs_ + systems_ + packets_ >= 2) ||
           (many && packets_ > no_packets_);
}

// After the packet length (two bytes) come the flags of MPEG-2, or in MPEG-1 stuffing, a buffer
// size and timestamps. Bits between them are always set.
bool format_signs::is_packet_of_program_stream() const {
  const auto byte = [this](unsigned i) {
    const auto shifted = i < 2 ? before_ >> (8 - 8 * i) : word_ >> (72 - 8 * i);
    return static_cast<unsigned>(shifted & 0xFF);
  };
  const auto flags = byte(0), times = byte(1) & 0xC0;
  if ((flags & 0xC0) == 0x80)
    return times == 0 || (times != 0x40 && times >> 2 == (byte(3) & 0xF0));
  const unsigned at = (flags & 0xC0) == 0x40 ? 2 : 0;
  const auto first = byte(at);
  const bool has_times = (first & 0xF0) == 0x20 || (first & 0xF0) == 0x30;
  return has_times ? (first & byte(at + 2) & byte(at + 4) & 1) != 0
                   : first == 0x0F || flags == 0xFF;
}

// Seven of ten packets in a row.
void format_signs::look_for_transport_stream() {
  if ((word_ >> 24 & 0xFF) != 0x47 || at_ < 4) return;
  const bool has_adaptation_or_payload = (word_ & 0x30) != 0;
  const bool is_null = (word_ >> 8 & 0x1FFF) == 0x1FFF;
  if (!has_adaptation_or_payload && !is_null) return;
  const auto position = at_ - 4;
  for (auto& grid : grids_) {
    const auto window = position / (10U * grid.length);
    if (window != grid.window) {
      grid.window = window;
      grid.hits.fill(0);
    }
    found_ = found_ || ++grid.hits[position % grid.length] >= 7;
  }
}

// Raw AMR: each first byte gives the frame's length; ffmpeg requires a hundred frames in a row.
// GSM: every 33rd byte begins with the same four bits. Also ADTS in MPEG frames.
void format_signs::look_for_speech() {
  const auto byte = word_ & 0xFF;
  for (auto& each : amr_) each.take(at_ - 1, static_cast<std::uint8_t>(byte));
  constexpr unsigned enough_amr = 50;
  found_ = found_ || amr_[0].frames >= enough_amr || amr_[1].frames >= enough_amr;
  constexpr std::uint64_t block = 33, blocks = 32;
  if ((at_ - 1) % block == 0) {
    if ((at_ - 1) % (block * blocks) == 0) gsm_ = 0;
    if ((byte & 0xF0) == 0xD0) ++gsm_;
    found_ = found_ || gsm_ >= blocks * 3 / 4;
  }
}

void format_signs::look_for_adts() {
  if (!(of_mpeg_ || is_of_tag()) || at_ < 7 || (word_ >> 40 & 0xFFF6) != 0xFFF0) return;
  const auto length = word_ >> 13 & 0x1FFF;
  if (length >= 7) found_ = found_ || adts_.add(at_ - 7, length, enough_of(enough_adts));
}

void format_signs::look_for_samples() {
  // AC-3 and E-AC-3, also with swapped bytes.
  const auto sync = word_ >> 32 & 0xFFFF;
  if (at_ >= ac3_header::size && (sync == 0x0B77 || sync == 0x770B)) {
    char bytes[ac3_header::size];
    for (std::size_t i = 0; i < ac3_header::size; ++i)
      bytes[i] = static_cast<char>(word_ >> 8 * (ac3_header::size - 1 - i));
    const ac3_header header{{bytes, ac3_header::size}};
    if (header.frame_bytes() > 0)
      found_ = found_ || ac3_.add(at_ - ac3_header::size, header.frame_bytes(),
                                  enough_of(enough_ac3), ac3_head);
  }
  // DTS: core frames of 16 and 14 bits in both byte orders, and the extension.
  const auto word = word_ & 0xFFFFFFFF;
  if (word == 0x7FFE8001 || word == 0xFE7F0180 || word == 0x1FFFE800 || word == 0xFF1F00E8 ||
      word == 0x64582025)
    found_ = found_ || ++dts_ >= enough_dts;
  // LATM in LOAS.
  if ((word_ & 0xFFE000) == 0x56E000 && at_ >= 3) {
    const auto length = (word_ & 0x1FFF) + 3;
    if (length >= 7) found_ = found_ || loas_.add(at_ - 3, length, enough_of(enough_loas));
  }
}

// MPEG audio and ADTS: four frames in a row do not occur by chance. Also DV, which contains audio.
void format_signs::look_for_frames() {
  constexpr unsigned enough_frames = 4;
  constexpr std::size_t header = 7;
  if (at_ < header) return;
  const auto last = word_ & 0xFFFFFFFFFFFFFF;
  const mpeg_header layer{static_cast<std::uint32_t>(last >> 24)};
  if (const auto bytes = layer.frame_bytes(); bytes > 0)
    found_ = found_ || mpeg_.add(at_ - header, bytes, enough_frames);
  const auto length = last >> 13 & 0x1FFF;
  if ((last >> 40 & 0xFFF6) == 0xFFF0 && length >= header)
    found_ = found_ || adts_.add(at_ - header, length, enough_frames);
  if ((word_ & 0xFFFFFF7F) == 0x1F07003F) found_ = found_ || ++bursts_ >= enough_bursts;
}

bool format_signs::chain::add(std::uint64_t position, std::uint64_t length, std::uint8_t enough,
                              std::uint64_t between) {
  link* free = nullptr;
  std::uint8_t frames = 1;
  for (auto& each : links_) {
    if (each.frames > 0 && (each.next == position || each.next + between == position)) {
      frames = std::max<std::uint8_t>(frames, each.frames + 1);
      each.frames = 0;
    }
    if (each.next + between < position) each.frames = 0;
    if (each.frames == 0) free = &each;
  }
  // When the table is full, one chain that continues may be lost.
  if (free == nullptr || frames >= enough) return true;
  *free = {position + length, frames};
  return false;
}

}  // namespace tollgate::routes::meters
