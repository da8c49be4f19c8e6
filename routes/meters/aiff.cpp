#include "routes/meters/aiff.hpp"

#include <optional>

#include "routes/meters/block_layout.hpp"
#include "routes/meters/block_meter.hpp"
#include "routes/meters/bytes.hpp"

namespace tollgate::routes::meters {
namespace {

// An 80-bit IEEE 754 number: sign, 15 bits of exponent, 64 bits of mantissa with an explicit
// leading bit. Rounded to the nearest integer; 0 if it is not a valid rate.
std::uint32_t rate_from_extended(std::string_view ten_bytes) {
  const auto exponent = big_endian(ten_bytes.substr(0, 2));
  const auto mantissa = big_endian(ten_bytes.substr(2, 8));
  constexpr std::uint64_t bias = 16383, most = 31;
  if (exponent < bias || exponent > bias + most) return 0;
  const auto fraction_bits = 63 - (exponent - bias);
  const auto rounded = (mantissa >> fraction_bits) + (mantissa >> (fraction_bits - 1) & 1);
  return rounded > 0x7FFFFFFF ? 0 : static_cast<std::uint32_t>(rounded);
}

struct sound_format {
  std::string_view codec;
  block_layout layout;
};

struct common_chunk {
  std::uint32_t channels, bits, rate;
  std::string_view compression;  // AIFF-C only
};

std::optional<sound_format> integers(const common_chunk& c) {
  constexpr std::string_view codecs[]{"pcm_s8", "pcm_s8", "pcm_s16be", "pcm_s24be", "pcm_s32be"};
  const auto bytes = std::max(1u, (c.bits + 7) / 8);
  if (bytes > 4) return std::nullopt;
  return sound_format{codecs[bytes], block_layout::pcm(c.rate, c.channels, bytes)};
}

std::optional<sound_format> read_format(const common_chunk& c) {
  struct known {
    std::string_view name, other_name, codec;
    std::uint32_t bytes;
  };
  constexpr known fixed[]{{"sowt", "sowt", "pcm_s16le", 2}, {"fl32", "FL32", "pcm_f32be", 4},
                          {"fl64", "FL64", "pcm_f64be", 8}, {"ulaw", "ULAW", "pcm_mulaw", 1},
                          {"alaw", "ALAW", "pcm_alaw", 1},  {"in24", "in24", "pcm_s24be", 3},
                          {"in32", "in32", "pcm_s32be", 4}};
  if (c.compression.empty() || c.compression == "NONE" || c.compression == "twos")
    return integers(c);
  if (c.compression == "ima4")
    return sound_format{"adpcm_ima_qt",
                        block_layout::whole_blocks(c.rate, std::uint64_t{34} * c.channels, 64)};
  for (const auto& each : fixed)
    if (c.compression == each.name || c.compression == each.other_name)
      return sound_format{each.codec, block_layout::pcm(c.rate, c.channels, each.bytes)};
  return std::nullopt;
}

class aiff_meter final : public block_meter<64> {
 public:
  aiff_meter() { need(12); }

  void finish() override {
    if (status() == state::undecided) set_status(state::unmeasurable);
  }
  duration measured() const override {
    return format_ ? format_->layout.of_bytes(sound_bytes_) : duration{};
  }
  std::string_view container() const override { return "aiff"; }
  std::string_view codec() const override { return format_ ? format_->codec : ""; }

 protected:
  std::size_t parse(std::string_view block) override {
    switch (at_) {
      case at::file_header:
        return file_header(block);
      case at::chunk_header:
        return chunk_header(block);
      case at::version:
        return version(block);
      case at::common:
        return common(block);
      case at::sound_header:
        return sound_header(block);
      case at::sound:
        return sound(block);
    }
    return 0;
  }

 private:
  enum class at : std::uint8_t { file_header, chunk_header, version, common, sound_header, sound };

  void expect(at what, std::size_t bytes) {
    at_ = what;
    need(bytes);
  }

  std::size_t file_header(std::string_view block) {
    const auto type = block.substr(8, 4);
    if (!block.starts_with("FORM") || (type != "AIFF" && type != "AIFC")) stop(state::unmeasurable);
    is_compressed_ = type == "AIFC";
    expect(at::chunk_header, 8);
    return 12;
  }

  std::size_t chunk_header(std::string_view block) {
    const auto id = block.substr(0, 4);
    const auto size = big_endian(block.substr(4, 4));
    chunk_left_ = size + size % 2;  // padded to an even size
    if (id == "COMM" && size >= 18 && !format_) {
      expect(at::common, size >= 22 ? 22 : 18);
    } else if (id == "FVER" && size >= 4) {
      expect(at::version, 4);
    } else if (id == "SSND") {
      is_padded_ = size % 2 == 1;
      chunk_left_ = size < 8 || size >= 0x80000000 ? to_the_end : size;
      expect(at::sound_header, 8);
    } else {
      skip(chunk_left_);
    }
    return 8;
  }

  std::size_t rest_of_chunk(std::size_t used) {
    skip(chunk_left_ - used);
    expect(at::chunk_header, 8);
    return used;
  }

  // ffmpeg reads the compression only if it knows the version (2726318400, of May 23, 1990).
  std::size_t version(std::string_view block) {
    if (big_endian(block.substr(0, 4)) != 0xA2805140) is_compressed_ = false;
    return rest_of_chunk(4);
  }

  std::size_t common(std::string_view block) {
    const std::size_t used = chunk_left_ >= 22 ? 22 : 18;
    format_ = read_format({static_cast<std::uint32_t>(big_endian(block.substr(0, 2))),
                           static_cast<std::uint32_t>(big_endian(block.substr(6, 2))),
                           rate_from_extended(block.substr(8, 10)),
                           is_compressed_ && used == 22 ? block.substr(18, 4) : ""});
    const bool sound = format_ && format_->layout.sound();
    sound ? set_status(state::measuring) : stop(state::unmeasurable);
    return rest_of_chunk(used);
  }

  // The offset of the first sample, and the size of the blocks to which samples are aligned.
  std::size_t sound_header(std::string_view block) {
    const auto offset = big_endian(block.substr(0, 4));
    if (chunk_left_ != to_the_end) {
      chunk_left_ -= 8;
      chunk_left_ -= std::min(chunk_left_, offset);
    }
    skip(offset);
    expect(at::sound, 1);
    if (chunk_left_ == 0) end_sound();
    return 8;
  }

  std::size_t sound(std::string_view block) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, block.size()));
    sound_bytes_ += n;
    if (chunk_left_ != to_the_end) chunk_left_ -= n;
    if (chunk_left_ == 0) end_sound();
    return n;
  }

  void end_sound() {
    if (is_padded_) skip(1);
    expect(at::chunk_header, 8);
  }

  at at_ = at::file_header;
  bool is_compressed_ = false, is_padded_ = false;
  std::uint64_t chunk_left_ = 0, sound_bytes_ = 0;
  std::optional<sound_format> format_;
};

}  // namespace

std::unique_ptr<meter> make_aiff_meter() {
  return std::make_unique<aiff_meter>();
}

}  // namespace tollgate::routes::meters
