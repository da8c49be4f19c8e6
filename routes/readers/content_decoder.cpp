#include "routes/readers/content_decoder.hpp"

#include <algorithm>
#include <array>

#include <zlib.h>

#include "routes/text.hpp"

namespace tollgate::routes::readers {
namespace {

// windowBits of inflateInit2().
enum class framing : int { none = -15, zlib = 15, gzip = 15 + 16 };

class inflater final : public reader {
 public:
  inflater(bool gzip, expansion_limits limits, sink& target)
      : reader{target}, gzip_{gzip}, limits_{limits} {}
  ~inflater() override {
    if (open_) inflateEnd(&stream_);
  }

 private:
  enum class step : std::uint8_t { more_output, needs_input, stream_ends, broken };

  void read(std::string_view piece) override {
    constexpr std::size_t most_at_once = 1U << 30;  // zlib counts in 32 bits
    while (!piece.empty() && !failed()) {
      const auto part = piece.substr(0, most_at_once);
      read_part(part);
      piece.remove_prefix(part.size());
    }
  }

  void read_part(std::string_view part) {
    if (!open_) open(gzip_ ? framing::gzip : framing_of(part.front()));
    // zlib does not write to its input.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    stream_.avail_in = static_cast<uInt>(part.size());
    bytes_in_ += part.size();
    while (!failed()) {
      if (ended_ && stream_.avail_in > 0) begin_next_member();
      if (failed() || ended_) break;
      const auto done = inflate_some();
      if (done == step::broken) fail(fault::malformed);
      if (done == step::needs_input) break;
      ended_ = done == step::stream_ends;
    }
  }

  void read_end() override {
    if (!ended_) fail(fault::truncated);
  }

  // In zlib's frame the lower half of the first byte is 8. Without the frame, such a byte would
  // begin a stored block with a padding bit set, which no encoder writes.
  static framing framing_of(char first) {
    return (first & 0x0F) == 8 ? framing::zlib : framing::none;
  }

  void open(framing with) {
    open_ = inflateInit2(&stream_, static_cast<int>(with)) == Z_OK;
    if (!open_) fail(fault::unsupported);
  }

  void begin_next_member() {
    if (!gzip_ || inflateReset(&stream_) != Z_OK) return fail(fault::malformed);
    ended_ = false;
  }

  step inflate_some() {
    std::array<char, check_every / 4> out;
    const auto room = std::min({std::uint64_t{out.size()}, check_every - bytes_out_ % check_every,
                                std::min(limits_.most_bytes - bytes_out_, check_every) + 1});
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(room);
    const auto result = inflate(&stream_, Z_NO_FLUSH);
    const std::size_t made = room - stream_.avail_out;
    bytes_out_ += made;
    const auto allowed = made - (bytes_out_ > limits_.most_bytes ? 1 : 0);
    if (allowed > 0) target().write({out.data(), allowed});
    check_expansion(made);
    if (result == Z_STREAM_END) return step::stream_ends;
    if (result != Z_OK && result != Z_BUF_ERROR) return step::broken;
    return stream_.avail_out == 0 ? step::more_output : step::needs_input;
  }

  // Checks the ratio at fixed output sizes, so the result does not depend on how the input was
  // split.
  void check_expansion(std::size_t made) {
    const auto taken = bytes_in_ - stream_.avail_in;
    const bool at_mark = made > 0 && bytes_out_ % check_every == 0;
    const bool too_far = at_mark && bytes_out_ > limits_.free_bytes &&
                         bytes_out_ / std::max<std::uint64_t>(taken, 1) > limits_.most_ratio;
    if (too_far || bytes_out_ > limits_.most_bytes) fail(fault::expands_too_far);
  }

  static constexpr std::uint64_t check_every = 64 * 1024;

  bool gzip_;
  expansion_limits limits_;
  z_stream stream_{};
  bool open_ = false, ended_ = false;
  std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
};

class refusal final : public reader {
 public:
  explicit refusal(sink& target) : reader{target} { fail(fault::unsupported); }

 private:
  void read(std::string_view) override {}
  void read_end() override {}
};

}  // namespace

std::unique_ptr<reader> make_content_decoder(std::string_view encoding, expansion_limits limits,
                                             sink& target) {
  const auto is = [encoding](std::string_view name) { return equal_ignoring_case(encoding, name); };
  if (is("") || is("identity")) return std::make_unique<whole_body>(target);
  if (is("gzip") || is("x-gzip")) return std::make_unique<inflater>(true, limits, target);
  if (is("deflate")) return std::make_unique<inflater>(false, limits, target);
  return std::make_unique<refusal>(target);
}

}  // namespace tollgate::routes::readers
