// Signs at fixed positions: in the file, or relative to each other.
#include <algorithm>

#include "routes/meters/format_signs.hpp"

namespace tollgate::routes::meters {
namespace {

struct module_sign {
  std::uint64_t at;
  std::string_view text;  // `#`: a digit

  constexpr bool fits(std::string_view bytes) const {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool digit = bytes[i] >= '0' && bytes[i] <= '9';
      if (text[i] == '#' ? !digit : text[i] != bytes[i]) return false;
    }
    return true;
  }
};
constexpr std::uint64_t last_module_sign = 1464;
constexpr module_sign module_signs[]{
    {20, "!Scr"},   {20, "!SCR"},   {20, "BMOD"},   {20, "WUZA"},   {20, "SWav"},   {44, "SCRM"},
    {44, "PTMF"},   {60, "IM10"},   {60, "SONG"},   {124, "SONG"},  {124, "SO31"},  {1080, "M.K."},
    {1080, "M!K!"}, {1080, "M&K!"}, {1080, "N.T."}, {1080, "N.SM"}, {1080, "NSMS"}, {1080, "LARD"},
    {1080, "PATT"}, {1080, "FEST"}, {1080, "OKTA"}, {1080, "OCTA"}, {1080, "CD#1"}, {1080, "FLT#"},
    {1080, "EXO#"}, {1080, "TDZ#"}, {1080, "#CHN"}, {1080, "##CH"}, {1080, "##CN"}, {1464, "MTN"},
    {1464, "IT10"}};

// ffmpeg checks these at one position only, whatever comes before: Audible, REDCODE, XMV, Westwood,
// HCOM, Dreamcast.
constexpr module_sign placed_signs[]{{4, {"\x57\x90\x75\x36", 4}}, {4, "RED1"},  {12, "xobX"},
                                     {16, {"\xAF\xDE\0\0", 4}},    {65, "FSSD"}, {213, "Sega"}};
constexpr std::uint64_t last_placed_sign = 213;
constexpr std::uint32_t swapped(std::uint32_t word) {
  return __builtin_bswap32(word);
}

}  // namespace

// Music modules whose signature comes later in the file: Amiga's MOD and its relatives, Scream
// Tracker, …
void format_signs::look_for_modules() {
  constexpr std::uint64_t signature_bytes = 4;
  if (at_ > last_module_sign + signature_bytes || at_ < signature_bytes) return;
  char signature[signature_bytes];
  for (std::size_t i = 0; i < signature_bytes; ++i)
    signature[i] = static_cast<char>(word_ >> 8 * (signature_bytes - 1 - i));
  for (const auto& sign : module_signs)
    found_ =
        found_ || (sign.at == at_ - signature_bytes && sign.fits({signature, signature_bytes}));
}

// Digital video, which contains audio.
void format_signs::look_for_video() {
  constexpr unsigned enough_sections = 4;
  const auto word = word_ & 0xFFFFFFFF;
  if ((word & 0xFF07FF7F) == 0x1F07003F || word == 0xFF3F0701)
    found_ = found_ || ++digital_video_ >= enough_sections;
}

// Formats with a signature at a fixed position; Play by Play's sample banks, which have a rate at
// two positions; 3DO's streams, which have one head inside another; session descriptions, by one of
// their lines.
void format_signs::look_at_places() {
  constexpr std::uint64_t sign_bytes = 4, rate_at = 4, again_at = 28, head_at = 12;
  const auto word = static_cast<std::uint32_t>(word_);
  if (at_ >= sign_bytes && at_ <= last_placed_sign + sign_bytes) {
    char sign[sign_bytes];
    for (std::size_t i = 0; i < sign_bytes; ++i)
      sign[i] = static_cast<char>(word >> 8 * (sign_bytes - 1 - i));
    for (const auto& each : placed_signs)
      found_ = found_ || (each.at == at_ - sign_bytes && each.fits({sign, sign_bytes}));
    // ffmpeg prefers formats known by their first bytes to these banks, and a length may happen to
    // equal such a rate.
    if (at_ == rate_at + sign_bytes && what_ != of::container) rate_ = swapped(word);
    const bool is_rate = rate_ == 5512 || rate_ == 11025 || rate_ == 22050 || rate_ == 44100;
    if (at_ == again_at + sign_bytes && is_rate && swapped(word) == rate_) found_ = true;
  }
  if (what_ == of::container) return;
  if (word == 0x534E4453) snds_at_ = at_;  // "SNDS"
  if (word == 0x53484452 && snds_at_ > 0 && at_ == snds_at_ + head_at + sign_bytes)
    found_ = true;                                                    // "SHDR"
  if ((word_ & 0xFFFFFFFFFFFFFF) == 0x633D494E204950) found_ = true;  // "c=IN IP"
}

// A tag begins with a frame name, or is empty (zeros). Any other start could imitate many formats
// that are known by their first bytes.
void format_signs::look_at_first_frame() {
  constexpr std::uint64_t head = 10, name = 3;
  const auto is_of_name = [](std::uint64_t byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
  };
  if (at_ == head + name) {
    is_empty_tag_ = (word_ & 0xFFFFFF) == 0;
    const bool named =
        is_of_name(word_ >> 16 & 0xFF) && is_of_name(word_ >> 8 & 0xFF) && is_of_name(word_ & 0xFF);
    found_ = found_ || !(named || is_empty_tag_);
  }
  found_ = found_ || (is_empty_tag_ && (word_ & 0xFF) != 0);
}

// Nullsoft video: a chunk that ends with its mark.
void format_signs::look_for_nullsoft() {
  constexpr std::uint64_t lengths = 20, to_lengths = 24 - 4;  // from the end of the chunk's name
  static_assert(lengths == to_lengths);
  if ((word_ & 0xFFFFFFFF) == 0x4E535673) {  // "NSVs"
    auto* const free =
        std::find_if(nullsoft_.begin(), nullsoft_.end(), [](auto& each) { return each.at == 0; });
    if (free == nullsoft_.end())
      found_ = true;
    else
      *free = {at_, 0};
  }
  for (auto& each : nullsoft_) {
    if (each.at == 0) continue;
    if (at_ == each.at + lengths) {
      const auto video = (word_ >> 32 & 0xFF) | (word_ >> 16 & 0xFF00) | (word_ & 0xFF0000);
      const auto audio = (word_ >> 8 & 0xFF) | (word_ << 8 & 0xFF00);
      each.end = at_ + (video >> 4) + audio + 2;
    }
    if (each.end == 0 || at_ < each.end) continue;
    if (at_ == each.end && (word_ & 0xFFFF) == 0xEFBE) found_ = true;
    each = {};
  }
}

// SoundTracker modules with fifteen samples have no signature. Volumes, tempo and number of
// positions must be in range.
void format_signs::look_for_sound_tracker() {
  constexpr std::uint64_t first = 20, each = 30, samples = 15, positions = first + each * samples;
  if (!is_sound_tracker_ || at_ > positions + 2 || at_ <= first) return;
  const auto byte = word_ & 0xFF;
  const auto place = at_ - 1;
  if (place < positions) {
    const auto within = (place - first) % each;
    if (within == 22 || within == 23) has_samples_ = has_samples_ || byte > 0;
    if ((within == 24 && byte > 15) || (within == 25 && byte > 64)) is_sound_tracker_ = false;
  }
  if (place == positions && (byte == 0 || byte > 128)) is_sound_tracker_ = false;
  if (place == positions + 1) found_ = found_ || (is_sound_tracker_ && has_samples_ && byte <= 220);
}

void format_signs::amr_chain::take(std::uint64_t position, std::uint8_t byte) {
  if (position < next) return;
  const auto mode = byte >> 3 & 15;
  const bool valid = mode < modes && (byte & 4) != 0;
  frames = valid ? frames + 1 : 0;
  next = position + (valid ? lengths[mode] : 1);
}

}  // namespace tollgate::routes::meters
