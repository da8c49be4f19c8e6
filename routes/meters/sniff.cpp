#include "routes/meters/sniff.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "routes/meters/aiff.hpp"
#include "routes/meters/amr.hpp"
#include "routes/meters/file_name.hpp"
#include "routes/meters/flac.hpp"
#include "routes/meters/format_signs.hpp"
#include "routes/meters/id3v2.hpp"
#include "routes/meters/matroska.hpp"
#include "routes/meters/mp4.hpp"
#include "routes/meters/ogg.hpp"
#include "routes/meters/program_stream.hpp"
#include "routes/meters/unpackaged.hpp"
#include "routes/meters/wav.hpp"

namespace tollgate::routes::meters {
namespace {

struct signature {
  std::size_t at;
  std::string_view bytes;
  std::unique_ptr<meter> (*make)();
  bool is_sure = true;  // ffmpeg is sure as well, and looks no further
};

constexpr signature signatures[]{{0, "RIFF", make_wav_meter},
                                 {0, "RIFX", make_wav_meter},
                                 {0, "RF64", make_wav_meter},
                                 {0, "BW64", make_wav_meter},
                                 {0, "FORM", make_aiff_meter},
                                 {0, "#!AMR", make_amr_meter},
                                 {0, "OggS", make_ogg_meter},
                                 {0, "fLaC", make_flac_meter},
                                 {4, "ftyp", make_mp4_meter},
                                 {4, "moov", make_mp4_meter},
                                 {4, "mdat", make_mp4_meter},
                                 {4, "wide", make_mp4_meter},
                                 {4, "free", make_mp4_meter},
                                 {4, "skip", make_mp4_meter},
                                 {0, "\x1A\x45\xDF\xA3", make_matroska_meter},
                                 {0, {"\0\0\1\xBA", 4}, make_program_stream_meter, false}};

// Enough for all signatures and the header of a tag.
constexpr std::size_t head_bytes = 10;
static_assert(head_bytes >= id3v2_header_bytes);

// How many bytes ffmpeg examines before it is sure of a format that it knows by its first bytes,
// and of frames.
constexpr std::uint64_t looked_at_of_container = 4096, looked_at_of_frames = 64 * 1024,
                        looked_at_of_program = 1 << 20;
constexpr std::uint64_t longest_skip = 1024;
constexpr std::uint64_t most_zeros_before_frames = 4096;
// ffmpeg examines one megabyte. If a tag does not end sixteen bytes before that limit, ffmpeg sees
// only the tag's start, and decides by that and by the file name. If a tag ends shortly before the
// limit, ffmpeg sees so little after it that it decides by the name, or by anything.
constexpr std::uint64_t looked_at_in_all = 1 << 20, longest_seen_tag = looked_at_in_all - 17,
                        longest_passed_tag = looked_at_in_all - 4096;

class audio_meter final : public meter {
 public:
  explicit audio_meter(audio_options options)
      : is_maybe_raw_{options.raw.has_value()},
        unpackaged_{
            make_unpackaged_meter(options.raw ? make_raw_pcm_meter(*options.raw) : nullptr)} {}

  void write(std::string_view piece) override {
    if (chosen_) look_for_signs(piece);
    if (chosen_) return chosen_->write(behind_tags(piece));
    unpackaged_->write(piece);
    while (!chosen_ && !piece.empty()) pass_or_gather(piece);
    if (chosen_) look_for_signs(piece);
    if (chosen_ && is_container_) chosen_->write(piece);
  }

  void finish() override {
    if (!chosen_) choose();
    chosen_->finish();
  }

  bool has_missed_some() const override { return chosen_ && chosen_->has_missed_some(); }
  // The format is known by then.
  bool wants_second_reading() const override { return chosen_ && chosen_->wants_second_reading(); }
  void begin_second_reading() override {
    chosen_->begin_second_reading();
    tags_to_pass_ = tags_;
  }

  std::size_t memory() const override { return chosen_ ? chosen_->memory() : 0; }

  state status() const override {
    for (const auto* each : {&signs_, &tag_signs_, &rest_signs_})
      if (*each && (*each)->found()) return state::unmeasurable;
    if (is_ambiguous_) return state::unmeasurable;
    return chosen_ ? chosen_->status() : state::undecided;
  }
  bool fits_name(std::string_view file_name) const override {
    if ((is_container_ && is_sure_) || is_maybe_raw_) return true;
    const auto suffix = suffix_of(file_name);
    if (is_container_ || !has_long_tag_) return !is_taken_by_name(suffix);
    if (container() != "mp3") return names_adts(suffix);
    return names_mpeg_audio(suffix) || (tag_signs_ && !names_another_format(suffix));
  }
  duration measured() const override { return chosen_ ? chosen_->measured() : duration{}; }
  std::string_view container() const override { return chosen_ ? chosen_->container() : ""; }
  std::string_view codec() const override { return chosen_ ? chosen_->codec() : ""; }

 private:
  // In the second reading, the length of the tags is known.
  std::string_view behind_tags(std::string_view piece) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(tags_to_pass_, piece.size()));
    tags_to_pass_ -= n;
    return piece.substr(n);
  }

  void pass_or_gather(std::string_view& piece) {
    const bool passing = tag_left_ > 0;
    const auto wanted = passing ? tag_left_ : head_.size() - gathered_;
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, piece.size()));
    if (passing) {
      if (tag_signs_) tag_signs_->write(piece.substr(0, n));
      tag_left_ -= n;
    } else {
      std::copy_n(piece.begin(), n, head_.begin() + gathered_);
      gathered_ += n;
    }
    piece.remove_prefix(n);
    if (gathered_ == head_.size()) look_at_head();
  }

  void look_at_head() {
    const auto tag = id3v2_bytes(head());
    if (!tag) return choose();
    ++tags_passed_;
    tags_ += *tag;
    // With several tags, it is unclear in which one ffmpeg's view ends.
    if (tags_ > longest_passed_tag) {
      has_long_tag_ = true;
      is_ambiguous_ = is_ambiguous_ || tags_passed_ > 1 || !is_ordinary_id3v2(head());
    }
    if (*tag > longest_seen_tag && tags_passed_ == 1) {
      tag_signs_.emplace(format_signs::of::tag, looked_at_in_all);
      tag_signs_->write(head());
    } else if (has_long_tag_ && tags_ < looked_at_in_all) {
      rest_signs_.emplace(format_signs::of::rest, looked_at_in_all - tags_);
    }
    tag_left_ = *tag - id3v2_header_bytes;
    gathered_ = 0;
  }

  void choose() {
    const auto* found = std::find_if(std::begin(signatures), std::end(signatures), [&](auto& each) {
      return head().substr(std::min(each.at, gathered_)).starts_with(each.bytes);
    });
    is_container_ = found != std::end(signatures);
    // ffmpeg skips one tag. A first box "skip" is a weak sign for it, so it must see the next box
    // as well.
    const bool begins_with_skip =
        head().substr(std::min<std::size_t>(4, gathered_)).starts_with("skip");
    const bool is_far = begins_with_skip && big_endian(head().substr(0, 4)) > longest_skip;
    // ffmpeg knows Ogg version 0 only.
    const bool is_new = head().starts_with("OggS") && !head().substr(4).starts_with('\0');
    is_sure_ = is_container_ && found->is_sure;
    is_ambiguous_ = is_ambiguous_ || (is_container_ && (tags_passed_ > (is_sure_ ? 1U : 0U) ||
                                                        has_long_tag_ || is_far || is_new));
    if (is_sure_) signs_.emplace(format_signs::of::container, looked_at_of_container);
    if (is_container_ && !is_sure_) signs_.emplace(format_signs::of::program, looked_at_of_program);
    if (!is_container_ && !is_maybe_raw_) {
      before_frames_ = 0;
      signs_.emplace(format_signs::of::frames, looked_at_of_frames);
    }
    look_for_signs(head());
    if (is_container_) {
      unpackaged_.reset();
      chosen_ = found->make();
      chosen_->write(head());
    } else {
      chosen_ = std::move(unpackaged_);  // it has received everything
    }
  }

  // Frames that do not come first, after tags and zeros, are not what every reader plays: the bytes
  // before them may make ffmpeg choose any of a hundred other formats; it takes a cut frame for AMR
  // or GSM.
  void look_for_signs(std::string_view piece) {
    // Starts at the first byte, even if it is zero: some formats are recognized by bytes at equal
    // distances from it.
    if (signs_) signs_->write(piece);
    if (rest_signs_) rest_signs_->write(piece);
    if (!before_frames_) return;
    const auto zeros = std::min(piece.find_first_not_of('\0'), piece.size());
    piece.remove_prefix(zeros);
    *before_frames_ += zeros;
    if (*before_frames_ > most_zeros_before_frames) is_ambiguous_ = true;
    if (piece.empty()) return;
    if (piece.front() != '\xFF') is_ambiguous_ = true;
    before_frames_.reset();
  }

  std::string_view head() const { return {head_.data(), gathered_}; }

  const bool is_maybe_raw_;
  std::unique_ptr<meter> unpackaged_, chosen_;
  bool is_container_ = false, is_sure_ = false, is_ambiguous_ = false, has_long_tag_ = false;
  unsigned tags_passed_ = 0;
  std::optional<std::uint64_t> before_frames_;  // number of zeros, while nothing else has come
  std::optional<format_signs> signs_, tag_signs_, rest_signs_;
  std::array<char, head_bytes> head_;
  std::size_t gathered_ = 0;
  std::uint64_t tag_left_ = 0;
  std::uint64_t tags_ = 0, tags_to_pass_ = 0;
};

}  // namespace

std::unique_ptr<meter> make_audio_meter(audio_options options) {
  return std::make_unique<audio_meter>(options);
}

}  // namespace tollgate::routes::meters
