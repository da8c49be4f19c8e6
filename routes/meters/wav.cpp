#include "routes/meters/wav.hpp"

#include "routes/meters/adts.hpp"
#include "routes/meters/block_meter.hpp"
#include "routes/meters/bytes.hpp"
#include "routes/meters/format_signs.hpp"
#include "routes/meters/mp3.hpp"
#include "routes/meters/unpackaged.hpp"
#include "routes/meters/wav_format.hpp"

namespace tollgate::routes::meters {
namespace {

constexpr std::uint32_t not_known = 0xFFFFFFFF;
constexpr std::size_t chunk_header_bytes = 8;

// ffmpeg searches somewhat less than this of the samples for frames of other codecs.
constexpr std::uint64_t looked_through = 256 * 1024;

// A meter for content that the number of bytes does not measure; null for blocks.
std::unique_ptr<meter> make_contents_meter(const wav_format& format) {
  switch (format.is) {
    case wav_format::data::mpeg_frames:
      return make_mp3_meter();
    case wav_format::data::adts_frames:
      return make_adts_meter();
    case wav_format::data::maybe_frames:
      return make_unpackaged_meter(nullptr);
    case wav_format::data::blocks:
      break;
  }
  return nullptr;
}

// A voice recorder's file that begins like WAV and contains G.729, as ffmpeg recognizes it: the
// bytes after the header are zero, except one.
class act_signs {
 public:
  void write(std::string_view piece) {
    for (std::size_t i = 0; i < piece.size() && at_ < size; ++i, ++at_) {
      const bool is_mark = at_ == 256;
      const bool is_free = at_ < 44 || (at_ > 256 && at_ < 264);
      if (!is_free && static_cast<std::uint8_t>(piece[i]) != (is_mark ? 0x84 : 0)) clear_ = true;
    }
  }
  bool found() const { return at_ == size && !clear_; }

 private:
  static constexpr std::size_t size = 512;
  std::size_t at_ = 0;
  bool clear_ = false;
};

class wav_blocks final : public block_meter<64> {
 public:
  wav_blocks() { need(12); }

  void finish() override {
    if (contents_) contents_->finish();
    if (!format_) set_status(state::unmeasurable);
  }

  state status() const override {
    const bool lost = contents_ && !may_be_blocks() && contents_->status() == state::unmeasurable;
    const bool ambiguous = signs_ && signs_->found();
    return lost || ambiguous ? state::unmeasurable : block_meter::status();
  }
  // If the samples may be frames, the longer result counts.
  duration measured() const override {
    if (!format_) return {};
    const auto blocks =
        may_be_blocks() || !contents_ ? format_->layout.of_bytes(data_bytes_) : duration{};
    return contents_ ? std::max(blocks, contents_->measured()) : blocks;
  }
  std::string_view container() const override { return "wav"; }
  std::string_view codec() const override {
    if (!format_) return "";
    const bool are_frames = contents_ && !contents_->codec().empty();
    return are_frames ? contents_->codec() : format_->codec;
  }

 protected:
  std::size_t parse(std::string_view block) override {
    switch (at_) {
      case at::file_header:
        return file_header(block);
      case at::chunk_header:
        return chunk_header(block);
      case at::format:
        return format(block);
      case at::long_sizes:
        return long_sizes(block);
      case at::data:
        return data(block);
      case at::data_padding:
        return data_padding(block);
    }
    return 0;
  }

 private:
  enum class at : std::uint8_t {
    file_header,
    chunk_header,
    format,
    long_sizes,
    data,
    data_padding
  };

  bool may_be_blocks() const { return format_->is == wav_format::data::maybe_frames; }

  void expect(at what, std::size_t bytes) {
    at_ = what;
    need(bytes);
  }

  std::uint32_t size_field(std::string_view block) const {
    return order_ == byte_order::big ? static_cast<std::uint32_t>(big_endian(block.substr(4, 4)))
                                     : little_endian<std::uint32_t>(block, 4);
  }

  std::size_t file_header(std::string_view block) {
    const auto form = block.substr(0, 4);
    const bool known = form == "RIFF" || form == "RIFX" || form == "RF64" || form == "BW64";
    if (!known || block.substr(8, 4) != "WAVE") stop(state::unmeasurable);
    if (form == "RIFX") order_ = byte_order::big;
    has_long_sizes_ = form == "RF64" || form == "BW64";
    expect(at::chunk_header, chunk_header_bytes);
    return 12;
  }

  std::size_t chunk_header(std::string_view block) {
    const auto id = block.substr(0, 4);
    const auto size = size_field(block);
    chunk_left_ = std::uint64_t{size} + (size & 1);
    // Decoders take these for other audio formats.
    const bool is_other = id == "XMA2" || id == "SMV0" || id == "xobX";
    const bool is_format = id == "fmt " && !format_, is_long = id == "ds64" && size >= 24;
    if (is_other || (has_long_sizes_ && !is_long)) {
      stop(state::unmeasurable);
    } else if (is_format) {
      format_bytes_ = std::min<std::size_t>(size, wav_format_bytes);
      expect(at::format, format_bytes_);
    } else if (has_long_sizes_) {
      has_long_sizes_ = false;
      expect(at::long_sizes, 24);
    } else if (id == "data") {
      begin_data(size);
    } else {
      skip(chunk_left_);
    }
    return chunk_header_bytes;
  }

  // Chunks are padded to an even size.
  std::size_t rest_of_chunk(std::size_t used) {
    skip(chunk_left_ - used);
    expect(at::chunk_header, chunk_header_bytes);
    return used;
  }

  std::size_t format(std::string_view block) {
    format_ = read_wav_format(block.substr(0, format_bytes_), order_);
    if (format_) {
      contents_ = make_contents_meter(*format_);
      if (contents_) {
        signs_.emplace(format_signs::of::samples, looked_through);
      } else if (format_->is_pcm) {
        signs_.emplace(format_signs::of::iec61937, looked_through);
      }
      set_status(state::measuring);
    } else {
      stop(state::unmeasurable);
    }
    return rest_of_chunk(format_bytes_);
  }

  // The sizes of the file and of the data chunk in 64 bits. Only RF64 has them, in its first chunk.
  std::size_t long_sizes(std::string_view block) {
    long_data_bytes_ = little_endian<std::uint64_t>(block, 8);
    return rest_of_chunk(24);
  }

  // If both sizes are given and differ, readers disagree about which one applies.
  void begin_data(std::uint32_t size) {
    if (!format_) return stop(state::unmeasurable);
    const bool known = size != 0 && size != not_known;
    chunk_left_ = std::max<std::uint64_t>(known ? size : 0, long_data_bytes_);
    if (chunk_left_ == 0) chunk_left_ = to_the_end;
    is_padded_ = chunk_left_ % 2 == 1;
    expect(at::data, 1);
  }

  std::size_t data(std::string_view block) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, block.size()));
    data_bytes_ += n;
    if (contents_) contents_->write(block.substr(0, n));
    if (signs_) signs_->write(block.substr(0, n));
    if (chunk_left_ != to_the_end) chunk_left_ -= n;
    if (chunk_left_ == 0)
      expect(is_padded_ ? at::data_padding : at::chunk_header, chunk_header_bytes);
    return n;
  }

  // Some writers omit the padding, and ffmpeg still finds their next chunk.
  std::size_t data_padding(std::string_view block) {
    expect(at::chunk_header, chunk_header_bytes);
    return block.starts_with("data") ? chunk_header(block) : 1;
  }

  at at_ = at::file_header;
  byte_order order_ = byte_order::little;
  bool is_padded_ = false;
  bool has_long_sizes_ = false;  // and they have not arrived yet
  std::uint64_t chunk_left_ = 0, long_data_bytes_ = 0, data_bytes_ = 0;
  std::size_t format_bytes_ = 0;
  std::optional<wav_format> format_;
  std::unique_ptr<meter> contents_;
  std::optional<format_signs> signs_;
};

class wav_meter final : public meter {
 public:
  void write(std::string_view piece) override {
    act_.write(piece);
    blocks_.write(piece);
  }
  void finish() override { blocks_.finish(); }
  state status() const override { return act_.found() ? state::unmeasurable : blocks_.status(); }
  duration measured() const override { return blocks_.measured(); }
  std::string_view container() const override { return blocks_.container(); }
  std::string_view codec() const override { return blocks_.codec(); }

 private:
  act_signs act_;
  wav_blocks blocks_;
};

}  // namespace

std::unique_ptr<meter> make_wav_meter() {
  return std::make_unique<wav_meter>();
}

}  // namespace tollgate::routes::meters
