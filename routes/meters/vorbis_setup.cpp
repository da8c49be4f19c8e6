// Parses the setup header of Vorbis for the one table that the meter needs, which comes last
// (Vorbis I specification, section 4.2.4; section numbers below refer to it).
#include <algorithm>
#include <bit>

#include "routes/meters/bytes.hpp"
#include "routes/meters/vorbis.hpp"

namespace tollgate::routes::meters {
namespace {

// Section 2: least significant bit first. Past the end it reads zeros and ok() is false.
class vorbis_bits {
 public:
  explicit vorbis_bits(std::string_view bytes) : bytes_{bytes} {}
  bool ok() const { return position_ <= std::uint64_t{bytes_.size()} * 8; }

  std::uint32_t read(unsigned bits) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < bits; ++i) value |= std::uint32_t{bit()} << i;
    return value;
  }
  bool flag() { return bit() != 0; }
  // One skip is at most 2^24 * 2^16 * 32 bits, and a reader past the end stays there.
  void skip(std::uint64_t bits) { position_ = ok() ? position_ + bits : position_; }

 private:
  std::uint8_t bit() {
    const auto at = position_++;
    if (at / 8 >= bytes_.size()) return 0;
    return byte_at(bytes_, static_cast<std::size_t>(at / 8)) >> at % 8 & 1;
  }

  std::string_view bytes_;
  std::uint64_t position_ = 0;
};

unsigned ilog(std::uint32_t value) {
  return static_cast<unsigned>(std::bit_width(value));
}

// The greatest number whose `dimensions`-th power does not exceed `entries` (section 9.2.3).
std::uint64_t lookup1_values(std::uint32_t entries, std::uint32_t dimensions) {
  const auto fits = [&](std::uint64_t number) {
    std::uint64_t power = 1;
    for (std::uint32_t i = 0; i < dimensions && number > 1 && power <= entries; ++i)
      power *= number;
    return power <= entries;
  };
  std::uint64_t least = 0, above = std::uint64_t{entries} + 1;
  while (above - least > 1) {
    const auto middle = least + (above - least) / 2;
    (fits(middle) ? least : above) = middle;
  }
  return least;
}

void skip_codeword_lengths(vorbis_bits& in, std::uint32_t entries) {
  const bool ordered = in.flag();
  if (ordered) {
    in.skip(5);
    for (std::uint32_t entry = 0; entry < entries && in.ok();) {
      const auto number = in.read(ilog(entries - entry));
      entry += std::min(number, entries - entry);
    }
  } else if (const bool sparse = in.flag(); sparse) {
    for (std::uint32_t entry = 0; entry < entries && in.ok(); ++entry)
      if (in.flag()) in.skip(5);
  } else {
    in.skip(std::uint64_t{entries} * 5);
  }
}

// Section 3.2.1.
bool skip_codebook(vorbis_bits& in) {
  if (in.read(24) != 0x564342) return false;
  const auto dimensions = in.read(16);
  const auto entries = in.read(24);
  skip_codeword_lengths(in, entries);
  const auto lookup = in.read(4);
  if (lookup == 0) return in.ok();
  if (lookup > 2 || dimensions == 0) return false;
  in.skip(64);
  const auto value_bits = in.read(4) + 1;
  in.skip(1);
  const auto values =
      lookup == 1 ? lookup1_values(entries, dimensions) : std::uint64_t{entries} * dimensions;
  in.skip(values * value_bits);
  return in.ok();
}

bool skip_time_domain_transform(vorbis_bits& in) {
  return in.read(16) == 0;
}

// Section 7.2.2.
void skip_floor_1(vorbis_bits& in) {
  std::array<std::uint8_t, 32> class_of{};
  const auto partitions = in.read(5);
  for (unsigned i = 0; i < partitions; ++i) class_of[i] = static_cast<std::uint8_t>(in.read(4));
  const auto classes =
      partitions == 0 ? 0 : *std::max_element(class_of.begin(), class_of.begin() + partitions) + 1;
  std::array<std::uint8_t, 16> dimensions{};
  for (int i = 0; i < classes; ++i) {
    dimensions[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(in.read(3) + 1);
    const auto subclasses = in.read(2);
    if (subclasses != 0) in.skip(8);
    in.skip((std::uint64_t{1} << subclasses) * 8);
  }
  in.skip(2);
  const auto range_bits = in.read(4);
  for (unsigned i = 0; i < partitions; ++i)
    in.skip(std::uint64_t{dimensions[class_of[i]]} * range_bits);
}

bool skip_floor(vorbis_bits& in) {
  const auto type = in.read(16);
  if (type == 0) {
    // Section 6.2.1: order, rate, size of the bark map, amplitude bits and offset, list of books.
    in.skip(8 + 16 + 16 + 6 + 8);
    in.skip((in.read(4) + 1) * 8);
  } else if (type == 1) {
    skip_floor_1(in);
  }
  return type <= 1 && in.ok();
}

// Section 8.6.1.
bool skip_residue(vorbis_bits& in) {
  if (in.read(16) > 2) return false;
  in.skip(24 + 24 + 24);
  const auto classifications = in.read(6) + 1;
  in.skip(8);
  int books = 0;
  for (unsigned i = 0; i < classifications; ++i) {
    const auto low = in.read(3);
    const auto high = in.flag() ? in.read(5) : 0;
    books += std::popcount(low) + std::popcount(high);
  }
  in.skip(static_cast<std::uint64_t>(books) * 8);
  return in.ok();
}

bool skip_mapping(vorbis_bits& in, unsigned channels) {
  if (in.read(16) != 0) return false;
  const auto submaps = in.flag() ? in.read(4) + 1 : 1;
  if (in.flag()) {
    const auto steps = in.read(8) + 1;
    in.skip(std::uint64_t{steps} * 2 * ilog(channels - 1));
  }
  if (in.read(2) != 0) return false;
  if (submaps > 1) in.skip(std::uint64_t{channels} * 4);
  in.skip(submaps * 24);
  return in.ok();
}

std::optional<vorbis_modes> read_modes(vorbis_bits& in) {
  vorbis_modes modes;
  const auto count = in.read(6) + 1;
  modes.bits = static_cast<std::uint8_t>(ilog(count - 1));
  for (unsigned mode = 0; mode < count; ++mode) {
    if (in.flag()) modes.long_blocks |= std::uint64_t{1} << mode;
    const auto window_and_transform = in.read(32);
    in.skip(8);
    if (window_and_transform != 0) return std::nullopt;
  }
  const bool framed = in.flag();
  return framed && in.ok() ? std::optional{modes} : std::nullopt;
}

// Each list of the header begins with its length minus one.
template <class Skip>
bool skip_list(vorbis_bits& in, unsigned length_bits, Skip skip_one) {
  const auto length = in.read(length_bits) + 1;
  for (unsigned i = 0; i < length; ++i)
    if (!skip_one(in)) return false;
  return in.ok();
}

}  // namespace

std::optional<vorbis_modes> vorbis_modes::read(std::string_view setup, unsigned channels) {
  if (!setup.starts_with("\x05vorbis") || channels == 0) return std::nullopt;
  vorbis_bits in{setup.substr(7)};
  const auto mapping = [channels](vorbis_bits& at) { return skip_mapping(at, channels); };
  const bool there = skip_list(in, 8, skip_codebook) &&
                     skip_list(in, 6, skip_time_domain_transform) && skip_list(in, 6, skip_floor) &&
                     skip_list(in, 6, skip_residue) && skip_list(in, 6, mapping);
  return there ? read_modes(in) : std::nullopt;
}

}  // namespace tollgate::routes::meters
