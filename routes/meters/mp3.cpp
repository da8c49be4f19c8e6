#include "routes/meters/mp3.hpp"

#include <optional>

#include "routes/meters/framed_meter.hpp"
#include "routes/meters/mpeg_header.hpp"

namespace tollgate::routes::meters {
namespace {

// The samples that an encoder added.
struct encoder_padding {
  std::uint32_t delay = 0, padding = 0;  // in samples
  std::uint64_t frames = 0;              // of the whole file, without the table's frame
};

// The decoder's own delay (LAME's technical notes: 528 samples and one).
constexpr std::uint32_t decoder_delay = 529;

// The table in a silent layer III frame: after the side information ("Xing" for variable, "Info"
// for constant bit rate), or 32 bytes after the header (Fraunhofer's "VBRI").
std::optional<std::string_view> xing_table(std::string_view frame) {
  const mpeg_header header{frame.data()};
  const std::size_t side_information = header.mpeg1()  ? (header.mono() ? 17 : 32)
                                       : header.mono() ? 9
                                                       : 17;
  const auto at = mpeg_header::size + side_information;
  if (header.layer() != 3 || frame.size() < at + 8) return std::nullopt;
  const auto table = frame.substr(at);
  if (!table.starts_with("Xing") && !table.starts_with("Info")) return std::nullopt;
  return table;
}

bool is_vbri_table(std::string_view frame) {
  return mpeg_header{frame.data()}.layer() == 3 && frame.size() > 40 &&
         frame.substr(36).starts_with("VBRI");
}

// The optional parts of the table in order: number of frames, number of bytes, 100 seek bytes,
// quality; then the encoder's name and, 21 bytes after its start, two 12-bit numbers.
std::optional<encoder_padding> read_padding(std::string_view table) {
  const auto flags = big_endian(table.substr(4, 4));
  std::size_t at = 8;
  encoder_padding out;
  if ((flags & 1) != 0 && table.size() >= at + 4) out.frames = big_endian(table.substr(at, 4));
  constexpr std::size_t part_bytes[]{4, 4, 100, 4};
  for (std::size_t i = 0; i < std::size(part_bytes); ++i)
    if ((flags >> i & 1) != 0) at += part_bytes[i];
  if (table.size() < at + 24) return std::nullopt;
  const auto encoder = table.substr(at, 4);
  if (encoder != "LAME" && encoder != "Lavf" && encoder != "Lavc") return std::nullopt;
  const auto both = static_cast<std::uint32_t>(big_endian(table.substr(at + 21, 3)));
  out.delay = both >> 12;
  out.padding = both & 0xFFF;
  return out;
}

class mp3_meter final : public framed_meter<mpeg_header> {
 public:
  void finish() override {
    framed_meter::finish();
    if (!padding_) return;
    take_off(duration::of_samples(padding_->delay + decoder_delay, rate_));
    // The padding applies only if the file ends where the table says.
    if (padding_->frames == frames() && padding_->padding > decoder_delay)
      take_off(duration::of_samples(padding_->padding - decoder_delay, rate_));
    padding_.reset();
  }

  std::string_view container() const override { return codec().empty() ? "" : "mp3"; }
  std::string_view codec() const override {
    constexpr std::string_view names[]{"mp1", "mp2", "mp3"};
    return status() == state::measuring ? names[last_header().layer() - 1] : "";
  }

 private:
  bool is_audio(std::string_view frame) override {
    const auto table = xing_table(frame);
    padding_ = table ? read_padding(*table) : std::nullopt;
    rate_ = mpeg_header{frame.data()}.rate();
    return !table && !is_vbri_table(frame);
  }

  std::optional<encoder_padding> padding_;
  std::uint32_t rate_ = 0;
};

}  // namespace

std::unique_ptr<meter> make_mp3_meter() {
  return std::make_unique<mp3_meter>();
}

}  // namespace tollgate::routes::meters
