#include "routes/meters/sniff.hpp"

#include <algorithm>
#include <array>

#include "routes/meters/aiff.hpp"
#include "routes/meters/amr.hpp"
#include "routes/meters/flac.hpp"
#include "routes/meters/id3v2.hpp"
#include "routes/meters/matroska.hpp"
#include "routes/meters/mp4.hpp"
#include "routes/meters/ogg.hpp"
#include "routes/meters/unpackaged.hpp"
#include "routes/meters/wav.hpp"

namespace tollgate::routes::meters {
namespace {

struct signature {
  std::size_t at;
  std::string_view bytes;
  std::unique_ptr<meter> (*make)();
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
                                 {0, "\x1A\x45\xDF\xA3", make_matroska_meter}};

// All that the signatures and the header of a tag need.
constexpr std::size_t head_bytes = 10;
static_assert(head_bytes >= id3v2_header_bytes);

class audio_meter final : public meter {
 public:
  explicit audio_meter(audio_options options)
      : unpackaged_{
            make_unpackaged_meter(options.raw ? make_raw_pcm_meter(*options.raw) : nullptr)} {}

  void write(std::string_view piece) override {
    if (chosen_) return chosen_->write(behind_tags(piece));
    unpackaged_->write(piece);
    while (!chosen_ && !piece.empty()) pass_or_gather(piece);
    if (chosen_ && is_container_) chosen_->write(piece);
  }

  void finish() override {
    if (!chosen_) choose();
    chosen_->finish();
  }

  // What it is, is known then.
  bool wants_second_reading() const override { return chosen_ && chosen_->wants_second_reading(); }
  void begin_second_reading() override {
    chosen_->begin_second_reading();
    tags_to_pass_ = tags_;
  }

  state status() const override { return chosen_ ? chosen_->status() : state::undecided; }
  duration measured() const override { return chosen_ ? chosen_->measured() : duration{}; }
  std::string_view container() const override { return chosen_ ? chosen_->container() : ""; }
  std::string_view codec() const override { return chosen_ ? chosen_->codec() : ""; }

 private:
  // The second time it is known how long they are.
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
    tag_left_ = *tag - id3v2_header_bytes;
    tags_ += *tag;
    gathered_ = 0;
  }

  void choose() {
    const auto* found = std::find_if(std::begin(signatures), std::end(signatures), [&](auto& each) {
      return head().substr(std::min(each.at, gathered_)).starts_with(each.bytes);
    });
    is_container_ = found != std::end(signatures);
    if (is_container_) {
      unpackaged_.reset();
      chosen_ = found->make();
      chosen_->write(head());
    } else {
      chosen_ = std::move(unpackaged_);  // which has seen everything
    }
  }

  std::string_view head() const { return {head_.data(), gathered_}; }

  std::unique_ptr<meter> unpackaged_, chosen_;
  bool is_container_ = false;
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
