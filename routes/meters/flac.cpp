#include "routes/meters/flac.hpp"

#include "routes/meters/block_meter.hpp"
#include "routes/meters/bytes.hpp"
#include "routes/meters/flac_frame.hpp"
#include "routes/meters/id3v2.hpp"

namespace tollgate::routes::meters {
namespace {

constexpr std::size_t metadata_header = 4;

class flac_meter final : public block_meter<metadata_header + flac_format::stream_info_bytes> {
 public:
  flac_meter() { need(id3v2_header_bytes); }

  void finish() override {
    if (stage_ == stage::marker) return stop(state::unmeasurable);
    frames_.finish();
  }

  duration measured() const override { return frames_.measured(); }
  std::string_view container() const override { return is_flac() ? "flac" : ""; }
  std::string_view codec() const override { return is_flac() ? "flac" : ""; }

 private:
  enum class stage : std::uint8_t { marker, metadata, frames };

  bool is_flac() const { return status() == state::measuring; }

  std::size_t parse(std::string_view block) override {
    switch (stage_) {
      case stage::marker:
        return parse_marker(block);
      case stage::metadata:
        return parse_metadata(block);
      case stage::frames:
        frames_.write(block);
        return block.size();
    }
    return block.size();
  }

  std::size_t parse_marker(std::string_view block) {
    if (const auto tag = id3v2_bytes(block)) {
      skip(*tag - id3v2_header_bytes);
      return id3v2_header_bytes;
    }
    set_status(state::measuring);
    if (block.starts_with("fLaC")) {
      stage_ = stage::metadata;
      need(metadata_header);
      return 4;
    }
    if (byte_at(block, 0) == 0xFF && (byte_at(block, 1) & 0xFE) == 0xF8) {
      stage_ = stage::frames;
      need(1);
      return parse(block);
    }
    stop(state::unmeasurable);
    return block.size();
  }

  // The head of a metadata block (section 8.1).
  std::size_t parse_metadata(std::string_view block) {
    const bool is_last = (byte_at(block, 0) & 0x80) != 0;
    const auto type = byte_at(block, 0) & 0x7F;
    const auto size = big_endian(block.substr(1, 3));
    if (constexpr int stream_info = 0;
        type == stream_info && size >= flac_format::stream_info_bytes) {
      constexpr auto whole = metadata_header + flac_format::stream_info_bytes;
      if (block.size() < whole) {
        need(whole);
        return 0;
      }
      if (!has_stream_info_ && !is_sound(block)) stop(state::unmeasurable);
      has_stream_info_ = true;
      frames_.expect(flac_format::of_stream_info(block.substr(metadata_header)));
    }
    if (!has_stream_info_) stop(state::unmeasurable);
    skip(size);
    need(is_last ? 1 : metadata_header);
    if (is_last) stage_ = stage::frames;
    return metadata_header;
  }

  // The conditions under which ffmpeg is sure of the format: STREAMINFO comes first and has its
  // usual size, and its block sizes and rate are in range.
  static bool is_sound(std::string_view block) {
    const auto size = big_endian(block.substr(1, 3));
    const auto least = big_endian(block.substr(4, 2)), most = big_endian(block.substr(6, 2));
    const auto rate = big_endian(block.substr(14, 3)) >> 4;
    return size == flac_format::stream_info_bytes && least >= 16 && most >= least && rate > 0 &&
           rate <= 655'350;
  }

  bool has_stream_info_ = false;
  stage stage_ = stage::marker;
  flac_frames frames_;
};

}  // namespace

std::unique_ptr<meter> make_flac_meter() {
  return std::make_unique<flac_meter>();
}

}  // namespace tollgate::routes::meters
