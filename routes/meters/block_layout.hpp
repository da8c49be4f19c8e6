// Audio in blocks of equal size, as in WAV and AIFF: the number of bytes gives the duration.
#pragma once

#include <cstdint>

#include "routes/meters/duration.hpp"

namespace tollgate::routes::meters {

// A block starts with a header, which contains some samples itself (ADPCM), followed by coded bits.
// In PCM a block is one sample of each channel.
struct block_layout {
  std::uint32_t rate = 0;
  std::uint64_t block_bytes = 1, header_bytes = 0, header_samples = 0;
  std::uint64_t bits_per_sample = 0;  // of all channels together; 0: nothing follows the header

  static constexpr block_layout pcm(std::uint32_t rate, std::uint32_t channels,
                                    std::uint32_t bytes_per_sample) {
    const auto frame = std::uint64_t{channels} * bytes_per_sample;
    return {rate, frame, 0, 0, frame * 8};
  }
  static constexpr block_layout whole_blocks(std::uint32_t rate, std::uint64_t bytes,
                                             std::uint64_t samples) {
    return {rate, bytes, bytes, samples, 0};
  }

  constexpr bool sound() const {
    return rate > 0 && block_bytes > 0 && samples_in(block_bytes) > 0;
  }

  // The duration that a decoder gets from this many bytes. It plays a truncated last block as far
  // as it goes.
  constexpr duration of_bytes(std::uint64_t bytes) const {
    if (!sound()) return {};
    const auto samples =
        static_cast<unsigned __int128>(bytes / block_bytes) * samples_in(block_bytes) +
        samples_in(bytes % block_bytes);
    constexpr std::uint64_t most = ~std::uint64_t{0};
    return duration::of_samples(samples > most ? most : static_cast<std::uint64_t>(samples), rate);
  }

 private:
  constexpr std::uint64_t samples_in(std::uint64_t bytes) const {
    if (bytes < header_bytes || bytes == 0) return 0;
    if (bits_per_sample == 0) return header_samples;
    return header_samples + (bytes - header_bytes) * 8 / bits_per_sample;
  }
};

}  // namespace tollgate::routes::meters
