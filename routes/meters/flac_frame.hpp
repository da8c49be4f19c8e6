// Finds FLAC frames (RFC 9639, section 9) in a stream that does not state where they are.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "routes/meters/duration.hpp"

namespace tollgate::routes::meters {

// The properties that all frames of a stream share.
struct flac_format {
  std::uint32_t rate = 0;
  std::uint8_t channels = 0;
  std::uint8_t bits = 0;

  // `stream_info` is the content of the STREAMINFO block (section 8.2).
  static constexpr std::size_t stream_info_bytes = 34;
  static flac_format of_stream_info(std::string_view stream_info);

  bool operator==(const flac_format&) const = default;
};

struct flac_frame_header {
  static constexpr std::size_t most_bytes = 16;

  flac_format format;
  std::uint32_t samples = 0;

  // The header at the start of `bytes`, if its CRC-8 is correct. `stream` supplies the values it
  // omits.
  static std::optional<flac_frame_header> read(std::string_view bytes, const flac_format& stream);

  duration length() const { return duration::of_samples(samples, format.rate); }
};

// Counts frames by their headers. Sync code, CRC-8 and the stream's format make about 34 bits,
// which match by chance once in 16 GB. A header of another format has only 25 bits of its own. It
// counts if the CRC-16 of the previous frame ends where it begins, or if the CRC-16 of its own
// frame ends where the next one begins: decoders play such frames, so a caller could send them.
// Frame numbers are ignored.
class flac_frames {
 public:
  // Supplies STREAMINFO, if there is one. Then the first frame needs no confirmation.
  void expect(const flac_format& stream);
  void write(std::string_view piece);
  // Reads the bytes that write() kept back, and ends the last frame.
  void finish();

  // The duration of all frames whose headers have arrived.
  duration measured() const { return measured_; }

 private:
  std::size_t scan(std::string_view bytes, bool is_end);
  void consider(std::string_view bytes);
  bool at_end_of_frame() const { return in_frame_ && crc_ == 0; }
  void count(const flac_frame_header& header);

  duration measured_;
  flac_format stream_info_;
  std::optional<flac_format> usual_;           // a header of this format counts at once
  std::optional<flac_frame_header> doubtful_;  // the latest header, if it needs confirmation
  bool in_frame_ = false;                      // there is a latest header
  std::uint16_t crc_ = 0;                      // CRC-16 from that header to here

  // The start of a possible header that continues in the next piece.
  std::array<char, 2 * flac_frame_header::most_bytes> kept_bytes_;
  std::size_t kept_ = 0;
};

}  // namespace tollgate::routes::meters
