// FLAC frames (RFC 9639, section 9), found in a stream that does not say where they are.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "routes/meters/duration.hpp"

namespace tollgate::routes::meters {

// What all frames of a stream have in common.
struct flac_format {
  std::uint32_t rate = 0;
  std::uint8_t channels = 0;
  std::uint8_t bits = 0;

  // `stream_info` is the content of that metadata block (section 8.2).
  static constexpr std::size_t stream_info_bytes = 34;
  static flac_format of_stream_info(std::string_view stream_info);

  bool operator==(const flac_format&) const = default;
};

struct flac_frame_header {
  static constexpr std::size_t most_bytes = 16;

  flac_format format;
  std::uint32_t samples = 0;

  // The header that `bytes` begin with, when its CRC-8 says that it is one. What it leaves open is
  // taken from `stream`.
  static std::optional<flac_frame_header> read(std::string_view bytes, const flac_format& stream);

  duration length() const { return duration::of_samples(samples, format.rate); }
};

// Counts frames by their headers. Sync code, CRC-8 and the format that all frames share are about
// 34 bits: chance gets them right once in 16 GB. A header of another format, which only the 25 bits
// of its own vouch for, counts when the CRC-16 of a frame ends where it begins, or when its own
// frame's does where the next one begins; decoders play such frames, so a caller might send them.
// The numbers that frames carry are not needed, nor are they believed.
class flac_frames {
 public:
  // STREAMINFO, where there is one: then the first frame needs no other to vouch for it.
  void expect(const flac_format& stream);
  void write(std::string_view piece);
  // Reads what write() has held back to see more of, and ends the last frame.
  void finish();

  // The frames whose headers have come.
  duration measured() const { return measured_; }

 private:
  std::size_t scan(std::string_view bytes, bool is_end);
  void consider(std::string_view bytes);
  bool at_end_of_frame() const { return in_frame_ && crc_ == 0; }
  void count(const flac_frame_header& header);

  duration measured_;
  flac_format stream_info_;
  std::optional<flac_format> usual_;           // a header of this format counts at once
  std::optional<flac_frame_header> doubtful_;  // the latest header, if it is to be confirmed
  bool in_frame_ = false;                      // there is a latest header
  std::uint16_t crc_ = 0;                      // CRC-16 from it to here

  // A header may begin here and go on in the next piece.
  std::array<char, 2 * flac_frame_header::most_bytes> kept_bytes_;
  std::size_t kept_ = 0;
};

}  // namespace tollgate::routes::meters
