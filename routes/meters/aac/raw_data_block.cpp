#include "routes/meters/aac/raw_data_block.hpp"

#include <algorithm>
#include <vector>

#include "routes/meters/aac/bands.hpp"
#include "routes/meters/aac/bits.hpp"
#include "routes/meters/aac/codebooks.hpp"

namespace tollgate::routes::meters::aac {
namespace {

enum element : std::uint8_t {
  single_channel,
  channel_pair,
  coupling_channel,
  low_frequency,
  data_stream,
  program_config,
  fill,
  end
};

// The number of bands that the main profile predicts, by rate index (4.6.6.2), and the maximum for
// LTP.
constexpr std::array<unsigned, 13> most_predicted{33, 33, 38, 40, 40, 40, 41,
                                                  41, 37, 37, 37, 34, 34};
constexpr unsigned most_predicted_long_term = 40;

// Codebook numbers without a codebook: nothing coded, noise, intensity.
enum special_book : std::uint8_t { zero = 0, reserved = 12, noise = 13, intensity = 14 };

// Skips one block (4.4.2, syntax of raw_data_block). Every step returns false where a decoder would
// give up.
class block {
 public:
  block(bits& from, const format& of) : in_{from}, of_{of} {}

  bool pass();

 private:
  bool element_of(std::uint32_t id);
  bool pair();
  bool coupling();
  bool stream_of_data();
  bool stream_of_fill();
  bool program();
  bool ics_info();
  bool prediction();
  void long_term();
  bool channel(bool common_window);
  bool sections();
  bool scale_factors();
  bool skip_scale_factors(std::size_t count);
  std::size_t coded_bands() const;
  bool pulses();
  bool noise_shaping();
  bool spectrum();
  bool values(unsigned book, std::size_t count);
  bool escape();

  bool is_short() const { return windows_ == 8; }
  const std::vector<std::uint16_t>& bands() const {
    return is_short() ? short_bands(of_.rate_index, of_.short_frames)
                      : long_bands(of_.rate_index, of_.short_frames);
  }

  bits& in_;
  const format& of_;
  // The fields of ics_info. The second channel of a pair with a common window shares them.
  unsigned windows_ = 1, groups_ = 1, most_band_ = 0;
  bool predicts_ = false;
  std::array<std::uint8_t, 8> group_length_{};
  // The codebook of each band, group by group.
  std::array<std::array<std::uint8_t, 64>, 8> books_{};
};

bool block::pass() {
  for (;;) {
    const auto id = in_.take(3);
    if (in_.overrun()) return false;
    if (id == end) break;
    if (!element_of(id) || in_.left() < 3) return false;
  }
  in_.align();
  return true;
}

bool block::element_of(std::uint32_t id) {
  switch (id) {
    case single_channel:
    case low_frequency:
      in_.skip(4);
      return channel(false);
    case channel_pair:
      in_.skip(4);
      return pair();
    case data_stream:
      return stream_of_data();
    case program_config:
      return program();
    case fill:
      return stream_of_fill();
    default:
      return coupling();
  }
}

bool block::pair() {
  const bool common = in_.flag();
  if (common) {
    if (!ics_info()) return false;
    if (predicts_ && of_.predicts == profile::long_term_prediction)
      long_term();  // of the second channel
    const auto mask = in_.take(2);
    if (mask == 3) return false;
    if (mask == 1) in_.skip(std::size_t{groups_} * most_band_);
  }
  return channel(common) && channel(common);
}

bool block::coupling() {
  in_.skip(4);
  const bool independent = in_.flag();
  unsigned gains = 0;
  for (auto coupled = in_.take(3) + 1; coupled > 0; --coupled, ++gains) {
    const bool is_pair = in_.flag();
    in_.skip(4);
    constexpr std::uint32_t left_and_right = 3;
    if (is_pair && in_.take(2) == left_and_right) ++gains;
  }
  in_.skip(1 + 1 + 2);
  if (!channel(false)) return false;
  for (unsigned gain = 1; gain < gains; ++gain)
    if (!(independent || in_.flag() ? skip_scale_factors(1) : skip_scale_factors(coded_bands())))
      return false;
  return true;
}

std::size_t block::coded_bands() const {
  std::size_t out = 0;
  for (unsigned group = 0; group < groups_; ++group)
    out += most_band_ - static_cast<std::size_t>(std::count(
                            books_[group].begin(), books_[group].begin() + most_band_, zero));
  return out;
}

bool block::skip_scale_factors(std::size_t count) {
  const auto& book = scale_factor_codebook();
  for (; count > 0 && !in_.overrun(); --count) in_.skip(book.find(in_.peek(codebook::peeked)).bits);
  return !in_.overrun();
}

bool block::stream_of_data() {
  in_.skip(4);
  const bool aligned = in_.flag();
  std::size_t count = in_.take(8);
  if (count == 255) count += in_.take(8);
  if (aligned) in_.align();
  in_.skip(count * 8);
  return !in_.overrun();
}

bool block::stream_of_fill() {
  std::size_t count = in_.take(4);
  if (count == 15) count += in_.take(8) - 1;
  in_.skip(count * 8);
  return !in_.overrun();
}

bool block::program() {
  in_.skip(4 + 2 + 4);
  std::size_t channels = 0;
  for (int kind = 0; kind < 3; ++kind)
    channels += in_.take(4);  // front, side, back: each with a flag
  const auto low = in_.take(2), associated = in_.take(3), coupling = in_.take(4);
  if (in_.flag()) in_.skip(4);  // mono mixdown
  if (in_.flag()) in_.skip(4);  // stereo mixdown
  if (in_.flag()) in_.skip(3);  // matrix mixdown
  in_.skip(channels * 5 + std::size_t{low} * 4 + std::size_t{associated} * 4 +
           std::size_t{coupling} * 5);
  in_.align();
  in_.skip(std::size_t{in_.take(8)} * 8);  // a comment
  return !in_.overrun();
}

bool block::ics_info() {
  in_.skip(1);
  const auto sequence = in_.take(2);
  constexpr std::uint32_t eight_short = 2;
  in_.skip(1);
  groups_ = 1;
  group_length_[0] = 1;
  windows_ = sequence == eight_short ? 8 : 1;
  most_band_ = in_.take(is_short() ? 4 : 6);
  predicts_ = false;
  if (is_short()) {
    for (int window = 1; window < 8; ++window) {
      if (in_.flag())
        ++group_length_[groups_ - 1];
      else
        group_length_[groups_++] = 1;
    }
  } else if (in_.flag() && !prediction()) {
    return false;
  }
  return most_band_ < bands().size();
}

bool block::prediction() {
  predicts_ = true;
  if (of_.predicts == profile::low_complexity) return false;
  if (of_.predicts == profile::long_term_prediction) {
    long_term();
    return true;
  }
  if (in_.flag()) {
    const auto reset_group = in_.take(5);
    if (reset_group == 0 || reset_group > 30) return false;
  }
  in_.skip(std::min(most_band_, most_predicted[of_.rate_index]));
  return true;
}

void block::long_term() {
  if (in_.flag()) in_.skip(11 + 3 + std::min(most_band_, most_predicted_long_term));
}

bool block::channel(bool common_window) {
  in_.skip(8);  // global gain
  if (!common_window && !ics_info()) return false;
  if (!sections() || !scale_factors()) return false;
  if (in_.flag() && !pulses()) return false;
  if (in_.flag() && !noise_shaping()) return false;
  if (in_.flag()) return false;  // gain control: not in these profiles
  return spectrum() && !in_.overrun();
}

bool block::sections() {
  const unsigned bits = is_short() ? 3 : 5, more = (1U << bits) - 1;
  for (unsigned group = 0; group < groups_; ++group) {
    for (unsigned band = 0; band < most_band_;) {
      const auto book = in_.take(4);
      if (book == reserved) return false;
      unsigned last = band, length = 0;
      do {
        length = in_.take(bits);
        last += length;
        if (in_.overrun() || last > most_band_) return false;
      } while (length == more);
      for (; band < last; ++band) books_[group][band] = static_cast<std::uint8_t>(book);
    }
  }
  return true;
}

bool block::scale_factors() {
  const auto& book = scale_factor_codebook();
  bool first_noise = true;
  for (unsigned group = 0; group < groups_; ++group) {
    for (unsigned band = 0; band < most_band_; ++band) {
      if (books_[group][band] == zero) continue;
      if (books_[group][band] == noise && first_noise) {
        first_noise = false;
        in_.skip(9);
      } else {
        in_.skip(book.find(in_.peek(codebook::peeked)).bits);
      }
    }
    if (in_.overrun()) return false;
  }
  return true;
}

bool block::pulses() {
  if (is_short()) return false;
  const auto count = in_.take(2) + 1;
  in_.skip(6 + std::size_t{count} * 9);
  return !in_.overrun();
}

bool block::noise_shaping() {
  for (unsigned window = 0; window < windows_; ++window) {
    const auto filters = in_.take(is_short() ? 1 : 2);
    const unsigned resolution = filters > 0 ? in_.take(1) : 0;
    for (unsigned filter = 0; filter < filters; ++filter) {
      in_.skip(is_short() ? 4 : 6);
      const auto order = in_.take(is_short() ? 3 : 5);
      if (order == 0) continue;
      in_.skip(1);
      const auto compressed = in_.take(1);
      in_.skip(std::size_t{order} * (3 + resolution - compressed));
    }
  }
  return !in_.overrun();
}

bool block::spectrum() {
  const auto& ends = bands();
  for (unsigned group = 0; group < groups_; ++group) {
    for (unsigned band = 0; band < most_band_;) {
      const auto book = books_[group][band];
      const auto first = band;
      while (band < most_band_ && books_[group][band] == book) ++band;
      if (book == zero || book >= noise) continue;
      const std::size_t width = ends[band] - ends[first];
      const std::size_t dimension = book < 5 ? 4 : 2;
      if (!values(book, width * group_length_[group] / dimension)) return false;
    }
  }
  return true;
}

bool block::values(unsigned book, std::size_t count) {
  const auto& words = spectral_codebook(book);
  for (; count > 0; --count) {
    const auto word = words.find(in_.peek(codebook::peeked));
    in_.skip(std::size_t{word.bits} + word.signs);
    for (unsigned i = 0; i < word.escapes; ++i)
      if (!escape()) return false;
  }
  return !in_.overrun();
}

// A run of ones, a zero, then four bits more than there were ones.
bool block::escape() {
  unsigned ones = 0;
  while (in_.flag())
    if (++ones > 8) return false;
  in_.skip(ones + 4);
  return true;
}

}  // namespace

std::optional<unsigned> rate_index_of(std::uint32_t rate) {
  constexpr std::array<std::uint32_t, 13> rates{96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                                22050, 16000, 12000, 11025, 8000,  7350};
  const auto* const found = std::find(rates.begin(), rates.end(), rate);
  if (found == rates.end()) return {};
  return static_cast<unsigned>(found - rates.begin());
}

block_count count_blocks(std::string_view unit, const format& of) {
  block_count out;
  bits in{unit};
  while (in.left() > 0) {
    if (in.peek(12) == 0xFFF) {
      out.unusual = true;
      return out;
    }
    block next{in, of};
    if (!next.pass()) {
      out.broken = true;
      return out;
    }
    ++out.blocks;
    // Zeros up to the end are padding.
    if (unit.find_first_not_of('\0', in.at() / 8) == unit.npos) break;
  }
  return out;
}

}  // namespace tollgate::routes::meters::aac
