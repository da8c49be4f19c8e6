#include <algorithm>

#include <boost/crc.hpp>

#include "deploy/sample_upstream/audio/bytes.hpp"
#include "deploy/sample_upstream/audio/encoder.hpp"

namespace tollgate::sample_upstream::audio {

namespace {

// Numbers in comments are sections of RFC 9639.
constexpr std::uint32_t block_samples = 4096;

using header_crc = boost::crc_optimal<8, 0x07, 0, 0, false, false>;    // 9.1.8
using frame_crc = boost::crc_optimal<16, 0x8005, 0, 0, false, false>;  // 9.3

template <class Crc>
std::uint64_t checksum(std::string_view bytes) {
  Crc crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

// 9.1.5: UTF-8, extended to 36 bits.
void append_coded_number(std::string& out, std::uint64_t number) {
  if (number < 0x80) {
    out += static_cast<char>(number);
    return;
  }
  int following = 1;
  while (number >> (6 * following + 6 - following) != 0) ++following;
  out += static_cast<char>(0xff00 >> (following + 1) | number >> (6 * following));
  while (following-- > 0) out += static_cast<char>(0x80 | (number >> (6 * following) & 0x3f));
}

class flac final : public encoder {
 public:
  explicit flac(std::uint64_t samples) : samples_{samples} {}

  // A live encoder knows neither the total length, nor the checksum, nor the sizes of its frames:
  // all are 0, for unknown (8.2).
  std::string header() const override {
    std::string out = "fLaC";
    append_big_endian(out, 0x80, 1);  // the last metadata block; type STREAMINFO (8.1)
    append_big_endian(out, 34, 3);
    append_big_endian(out, block_samples, 2);
    append_big_endian(out, block_samples, 2);
    out.append(3 + 3, '\0');
    // 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of the total number of samples
    append_big_endian(out, std::uint64_t{sample_rate} << 44 | std::uint64_t{16 - 1} << 36, 8);
    out.append(16, '\0');
    return out;
  }

  std::uint64_t frames() const override { return divide_up(samples_, block_samples); }

  void append_frame(std::uint64_t index, std::string& out) const override {
    const auto samples = std::min<std::uint64_t>(block_samples, samples_ - index * block_samples);
    std::string frame;
    append_big_endian(frame, 0xfff8, 2);  // blocks of one size; the last may be shorter (9.1)
    append_big_endian(frame, 0x77, 1);    // the block size follows below; 24 kHz
    append_big_endian(frame, 0x08, 1);    // mono, 16 bits
    append_coded_number(frame, index);
    append_big_endian(frame, samples - 1, 2);
    append_big_endian(frame, checksum<header_crc>(frame), 1);
    frame.append(1 + 2, '\0');  // one constant subframe and its value (9.2.3)
    append_big_endian(frame, checksum<frame_crc>(frame), 2);
    out += frame;
  }

 private:
  std::uint64_t samples_;
};

}  // namespace

std::unique_ptr<encoder> encode_flac(std::uint64_t samples) {
  return std::make_unique<flac>(samples);
}

}  // namespace tollgate::sample_upstream::audio
