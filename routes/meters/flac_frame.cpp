#include "routes/meters/flac_frame.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "routes/meters/bytes.hpp"
#include "routes/meters/crc.hpp"

namespace tollgate::routes::meters {
namespace {

constexpr std::uint8_t first_sync_byte = 0xFF;

// The length of the coded number (section 9.1.5: UTF-8 extended to 36 bits); 0 if it is broken.
std::size_t coded_number_bytes(std::string_view bytes) {
  const auto lead = byte_at(bytes, 0);
  const auto ones = static_cast<std::size_t>(std::countl_one(lead));
  if (ones == 0) return 1;
  if (ones == 1 || ones == 8 || bytes.size() < ones) return 0;
  for (std::size_t i = 1; i < ones; ++i)
    if ((byte_at(bytes, i) & 0xC0) != 0x80) return 0;
  return ones;
}

// Reads the fields of a header in order. If the header is too short, fields read as zero and ok()
// is false.
class field_reader {
 public:
  explicit field_reader(std::string_view bytes) : bytes_{bytes} {}
  bool ok() const { return at_ <= bytes_.size(); }
  std::size_t position() const { return at_; }
  std::uint32_t number(std::size_t bytes) {
    at_ += bytes;
    return ok() ? static_cast<std::uint32_t>(big_endian(bytes_.substr(at_ - bytes, bytes))) : 0;
  }
  bool skip_coded_number() {
    if (at_ >= bytes_.size()) return false;
    const auto bytes = coded_number_bytes(bytes_.substr(at_));
    at_ += bytes;
    return bytes > 0;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

// Section 9.1.1.
std::uint32_t block_size(unsigned code, field_reader& in) {
  switch (code) {
    case 0:
      return 0;
    case 1:
      return 192;
    case 2:
    case 3:
    case 4:
    case 5:
      return 144U << code;
    case 6:
      return in.number(1) + 1;
    case 7:
      return in.number(2) + 1;
    default:
      return 1U << code;
  }
}

// Section 9.1.2.
std::uint32_t sample_rate(unsigned code, std::uint32_t rate_of_stream, field_reader& in) {
  constexpr std::array<std::uint32_t, 12> rates = {
      0, 88'200, 176'400, 192'000, 8'000, 16'000, 22'050, 24'000, 32'000, 44'100, 48'000, 96'000};
  switch (code) {
    case 0:
      return rate_of_stream;
    case 12:
      return in.number(1) * 1000;
    case 13:
      return in.number(2);
    case 14:
      return in.number(2) * 10;
    case 15:
      return 0;
    default:
      return rates[code];
  }
}

// Section 9.1.3: up to eight channels, and three ways to code two.
std::uint8_t channels(unsigned code) {
  return static_cast<std::uint8_t>(code < 8 ? code + 1 : code < 11 ? 2 : 0);
}

// Section 9.1.4.
std::uint8_t bit_depth(unsigned code, std::uint8_t bits_of_stream) {
  constexpr std::array<std::uint8_t, 8> depths = {0, 8, 12, 0, 16, 20, 24, 32};
  return code == 0 ? bits_of_stream : depths[code];
}

}  // namespace

flac_format flac_format::of_stream_info(std::string_view stream_info) {
  const auto packed = big_endian(stream_info.substr(10, 4));
  return {static_cast<std::uint32_t>(packed >> 12),
          static_cast<std::uint8_t>((packed >> 9 & 7) + 1),
          static_cast<std::uint8_t>((packed >> 4 & 31) + 1)};
}

std::optional<flac_frame_header> flac_frame_header::read(std::string_view bytes,
                                                         const flac_format& stream) {
  field_reader in{bytes};
  const auto sync = in.number(2);
  const auto codes = in.number(2);
  if (!in.ok() || (sync & 0xFFFE) != 0xFFF8 || (codes & 1) != 0) return std::nullopt;
  if (!in.skip_coded_number()) return std::nullopt;
  flac_frame_header header;
  header.samples = block_size(codes >> 12, in);
  header.format.rate = sample_rate(codes >> 8 & 15, stream.rate, in);
  header.format.channels = channels(codes >> 4 & 15);
  header.format.bits = bit_depth(codes >> 1 & 7, stream.bits);
  const auto crc_at = in.position();
  const auto crc = in.number(1);
  const bool valid = in.ok() && header.samples != 0 && header.format.rate != 0 &&
                     header.format.channels != 0 && (codes >> 1 & 7) != 3 &&
                     crc8(bytes.substr(0, crc_at)) == crc;
  return valid ? std::optional{header} : std::nullopt;
}

void flac_frames::expect(const flac_format& stream) {
  stream_info_ = stream;
  usual_ = stream;
}

void flac_frames::write(std::string_view piece) {
  if (kept_ > 0) {
    const auto added = std::min(piece.size(), kept_bytes_.size() - kept_);
    std::memcpy(kept_bytes_.data() + kept_, piece.data(), added);
    const auto used = scan({kept_bytes_.data(), kept_ + added}, false);
    if (used < kept_) {
      kept_ += added - used;
      std::memmove(kept_bytes_.data(), kept_bytes_.data() + used, kept_);
      return;
    }
    piece.remove_prefix(used - kept_);
  }
  const auto used = scan(piece, false);
  kept_ = piece.size() - used;
  if (kept_ > 0) std::memcpy(kept_bytes_.data(), piece.data() + used, kept_);
}

void flac_frames::finish() {
  scan({kept_bytes_.data(), kept_}, true);
  kept_ = 0;
  if (doubtful_ && at_end_of_frame()) count(*doubtful_);
  doubtful_.reset();
}

// Returns the number of bytes read. The rest is the start of a header that may be longer than
// `bytes`.
std::size_t flac_frames::scan(std::string_view bytes, bool is_end) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto* found = std::memchr(bytes.data() + at, first_sync_byte, bytes.size() - at);
    const auto sync =
        found == nullptr ? bytes.size()
                         : static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    crc_ = crc16(crc_, bytes.substr(at, sync - at));
    if (sync == bytes.size()) break;
    const auto candidate = bytes.substr(sync);
    if (candidate.size() < flac_frame_header::most_bytes && !is_end) return sync;
    consider(candidate);
    crc_ = crc16(crc_, candidate.substr(0, 1));
    at = sync + 1;
  }
  return bytes.size();
}

void flac_frames::consider(std::string_view bytes) {
  const auto header = flac_frame_header::read(bytes, stream_info_);
  if (!header) return;
  const bool closes = at_end_of_frame();
  if (closes && doubtful_) count(*doubtful_);
  doubtful_.reset();
  if (closes || header->format == usual_) {
    count(*header);
  } else {
    doubtful_ = header;
  }
  in_frame_ = true;
  crc_ = 0;
}

void flac_frames::count(const flac_frame_header& header) {
  measured_ += header.length();
  usual_ = header.format;
}

}  // namespace tollgate::routes::meters
