#include "routes/meters/vorbis.hpp"

#include <utility>

#include "routes/meters/bytes.hpp"

namespace tollgate::routes::meters {

std::unique_ptr<vorbis_packets> vorbis_packets::open(std::string_view identification) {
  if (identification.size() < identification_bytes || !identification.starts_with("\x01vorbis"))
    return nullptr;
  const unsigned channels = byte_at(identification, 11);
  const auto rate = little_endian<std::uint32_t>(identification, 12);
  const unsigned exponents = byte_at(identification, 28);
  const unsigned short_block = exponents & 15, long_block = exponents >> 4;
  // Section 4.2.2: the values that decoders require.
  if (channels == 0 || rate == 0 || short_block < 6 || long_block > 13 || short_block > long_block)
    return nullptr;
  return std::unique_ptr<vorbis_packets>{
      new vorbis_packets{rate, channels, 1U << short_block, 1U << long_block}};
}

vorbis_packets::vorbis_packets(std::uint32_t rate, unsigned channels, unsigned short_block,
                               unsigned long_block)
    : rate_{rate}, channels_{channels} {
  const auto overlap = [&](unsigned before, unsigned block) {
    return duration::of_samples(before / 4 + block / 4, rate);
  };
  overlaps_ = {overlap(short_block, short_block), overlap(long_block, short_block),
               overlap(short_block, long_block), overlap(long_block, long_block)};
}

duration vorbis_packets::begin(std::string_view head, std::uint64_t) {
  if (collecting_) read_setup();
  if (head.empty()) return {};
  const auto first_byte = byte_at(head, 0);
  constexpr std::uint8_t setup_header = 5;
  if ((first_byte & 1) != 0) {
    // Decoders are set up once; a setup header between audio packets has no effect.
    collecting_ = first_byte == setup_header && first_ && setup_.empty();
    return {};
  }
  const bool is_long = this->is_long(first_byte);
  const auto played = overlaps_[(is_long ? 2U : 0U) | (long_before_ ? 1U : 0U)];
  long_before_ = is_long;
  return std::exchange(first_, false) ? duration{} : played;
}

duration vorbis_packets::body(std::string_view piece) {
  // Keeps one byte more than the limit, to notice that the header is too long.
  setup_.append(piece.substr(0, most_setup_bytes + 1 - setup_.size()));
  return {};
}

void vorbis_packets::read_setup() {
  collecting_ = false;
  if (setup_.size() <= most_setup_bytes) modes_ = vorbis_modes::read(setup_, channels_);
  setup_.resize(1);  // enough to remember that it came
  setup_.shrink_to_fit();
}

bool vorbis_packets::is_long(std::uint8_t first_byte) const {
  if (!modes_) return true;
  const unsigned mode = first_byte >> 1 & ((1U << modes_->bits) - 1);
  return (modes_->long_blocks >> mode & 1) != 0;
}

}  // namespace tollgate::routes::meters
