#include "routes/meters/amr.hpp"

#include "routes/meters/amr_frames.hpp"
#include "routes/meters/block_meter.hpp"
#include "routes/meters/bytes.hpp"

namespace tollgate::routes::meters {
namespace {

struct magic {
  std::string_view text, codec;
  const std::uint8_t (&frame_bytes)[16];
  bool many_channels = false;
};
// Longer signatures come before their own prefixes.
constexpr magic magics[]{{"#!AMR-WB_MC1.0\n", "amr_wb", amr_wide_band, true},
                         {"#!AMR_MC1.0\n", "amr_nb", amr_narrow_band, true},
                         {"#!AMR-WB\n", "amr_wb", amr_wide_band},
                         {"#!AMR\n", "amr_nb", amr_narrow_band}};

class amr_meter final : public block_meter<64> {
 public:
  amr_meter() { need(1); }

  void finish() override {
    if (status() == state::undecided) set_status(state::unmeasurable);
  }
  duration measured() const override { return duration::of_samples(frames_ / channels_, 50); }
  std::string_view container() const override { return "amr"; }
  std::string_view codec() const override { return magic_ != nullptr ? magic_->codec : ""; }

 protected:
  std::size_t parse(std::string_view block) override {
    if (magic_ == nullptr) return read_magic(block);
    if (status() == state::undecided) return read_channels(block);
    std::size_t at = 0;
    while (at < block.size()) {
      const std::uint64_t bytes = amr_frame_bytes(magic_->frame_bytes, byte_at(block, at));
      at += bytes;
      ++frames_;
    }
    skip(at - block.size());
    return block.size();
  }

 private:
  std::size_t read_magic(std::string_view block) {
    for (const auto& known : magics) {
      if (block.starts_with(known.text)) {
        magic_ = &known;
        if (!known.many_channels) set_status(state::measuring);
        need(known.many_channels ? 4 : 1);
        return known.text.size();
      }
      if (block.size() < known.text.size() && known.text.starts_with(block)) {
        need(block.size() + 1);
        return 0;
      }
    }
    stop(state::unmeasurable);
    return 0;
  }

  // 28 reserved bits and the number of channels. Frames of the channels alternate.
  std::size_t read_channels(std::string_view block) {
    channels_ = std::max(1, byte_at(block, 3) & 15);
    set_status(state::measuring);
    need(1);
    return 4;
  }

  const magic* magic_ = nullptr;
  std::uint64_t frames_ = 0;
  std::uint64_t channels_ = 1;
};

}  // namespace

std::unique_ptr<meter> make_amr_meter() {
  return std::make_unique<amr_meter>();
}

}  // namespace tollgate::routes::meters
