// What does counting the seconds in a stream cost? Each case is a stream of ten minutes, detected
// and counted in slices of 64 KiB, as they come from a socket.
#include <string>

#include <benchmark/benchmark.h>

#include "routes/meters/sniff.hpp"

namespace tollgate::routes::meters {
namespace {

constexpr std::size_t slice = 65536;
constexpr std::size_t seconds = 600;

std::string big_endian(std::uint64_t value, std::size_t bytes) {
  std::string out;
  while (bytes-- > 0) out += static_cast<char>(value >> 8 * bytes);
  return out;
}

std::string little_endian(std::uint64_t value, std::size_t bytes) {
  const auto out = big_endian(value, bytes);
  return {out.rbegin(), out.rend()};
}

// Frames of 1152 samples at 48 kHz: `kbit` must be 64 or 128.
std::string mp3_stream(unsigned kbit) {
  const auto header = big_endian(kbit == 64 ? 0xFFFB5400 : 0xFFFB9400, 4);
  std::string out;
  for (std::size_t i = 0; i < seconds * 48000 / 1152; ++i)
    out += header + std::string(kbit * 3 - header.size(), 'x');
  return out;
}

// Frames of 1024 samples at 24 kHz, 64 kbit/s.
std::string adts_stream() {
  constexpr std::uint64_t bytes = 341;
  const auto header = big_endian(0xFFF1'5880'001F'FC | bytes << 13, 7);
  std::string out;
  for (std::size_t i = 0; i < seconds * 24000 / 1024; ++i)
    out += header + std::string(bytes - header.size(), 'x');
  return out;
}

// 24 kHz, mono, 16 bits, with the header of an encoder that did not know the length.
std::string wav_stream() {
  return "RIFF" + little_endian(0xFFFFFFFF, 4) + "WAVEfmt " + little_endian(16, 4) +
         little_endian(1, 2) + little_endian(1, 2) + little_endian(24000, 4) +
         little_endian(48000, 4) + little_endian(2, 2) + little_endian(16, 2) + "data" +
         little_endian(0xFFFFFFFF, 4) + std::string(seconds * 48000, 'x');
}

// RFC 3533, 6. The checksum is correct.
std::string ogg_page(unsigned flags, std::uint64_t granule, std::uint32_t number,
                     const std::string& lacing, const std::string& content) {
  auto page = std::string{"OggS"} + '\0' + static_cast<char>(flags) + little_endian(granule, 8) +
              little_endian(1, 4) + little_endian(number, 4) + std::string(4, '\0') +
              static_cast<char>(lacing.size()) + lacing + content;
  std::uint32_t crc = 0;
  for (const char c : page) {
    crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 24;
    for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ (crc >> 31 != 0 ? 0x04C11DB7 : 0);
  }
  return page.replace(22, 4, little_endian(crc, 4));
}

// Packets of 20 ms, 80 bytes (32 kbit/s), 50 per page; RFC 7845, RFC 6716, 3.1.
std::string opus_stream() {
  const auto head = "OpusHead" + std::string{"\x01\x01", 2} + little_endian(312, 2) +
                    little_endian(48000, 4) + std::string(3, '\0');
  const auto tags = "OpusTags" + std::string(8, '\0');
  auto out = ogg_page(2, 0, 0, std::string(1, static_cast<char>(head.size())), head) +
             ogg_page(0, 0, 1, std::string(1, static_cast<char>(tags.size())), tags);
  std::string packets;
  for (int i = 0; i < 50; ++i) packets += '\x78' + std::string(79, 'x');  // CELT, 20 ms, one frame
  for (std::uint32_t i = 1; i <= seconds; ++i)
    out += ogg_page(i == seconds ? 4 : 0, i * 48000, i + 1, std::string(50, '\x50'), packets);
  return out;
}

void count(benchmark::State& state, const std::string& stream) {
  duration counted;
  for (auto _ : state) {
    const auto m = make_audio_meter({});
    for (std::size_t at = 0; at < stream.size(); at += slice)
      m->write(std::string_view{stream}.substr(at, slice));
    m->finish();
    counted = m->measured();
    benchmark::DoNotOptimize(counted);
  }
  if (counted < duration::from_seconds(seconds - 1) || counted > duration::from_seconds(seconds))
    state.SkipWithError("the meter is wrong");
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(stream.size()));
}

BENCHMARK_CAPTURE(count, mp3_64k, mp3_stream(64));
BENCHMARK_CAPTURE(count, mp3_128k, mp3_stream(128));
BENCHMARK_CAPTURE(count, adts, adts_stream());
BENCHMARK_CAPTURE(count, wav, wav_stream());
BENCHMARK_CAPTURE(count, ogg_opus, opus_stream());

}  // namespace
}  // namespace tollgate::routes::meters
