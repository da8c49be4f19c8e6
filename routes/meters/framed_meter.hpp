// Streams that consist of frames only, each with its own header: MP3 and ADTS.
#pragma once

#include <optional>
#include <utility>

#include "routes/meters/block_meter.hpp"
#include "routes/meters/id3v2.hpp"

namespace tollgate::routes::meters {

// How many bytes that are not audio may precede the first frame; as in ffmpeg.
inline constexpr std::uint64_t most_leading_junk = 65536;
// A single consistent header is accepted this close after a frame.
inline constexpr std::uint64_t most_passing_junk = 4096;
// How many zeros may separate two frames, of which the second confirms the first.
inline constexpr std::size_t most_zeros_between = 64;
// This many frames in a row after junk do not occur by chance: ffmpeg then takes the input for
// their format, whatever follows. At the start of the input, `Header::enough_frames` suffice. If
// the input ends sooner, the second number suffices.
inline constexpr unsigned enough_frames_after_junk = 201;
inline constexpr unsigned enough_frames_after_junk_at_end = 8;

// `Header` is constructed from its `size` bytes and has `frame_bytes()` (with the header; 0: not a
// header), `length()` and `consistent_with(another)`. It may have `is_like(another)`, `is_padded()`
// and `padded_otherwise()`. If `Header::is_read_whole` is true, length_of() receives whole frames.
//
// A frame counts in full once its header has arrived: players fill up truncated frames. Decoders
// skip zeros between frames. Anything else is junk. After junk a header must be consistent with the
// last one; after long junk, or before anything was played, a second frame must follow. So bytes of
// a picture in a tag do not count as frames, and junk cannot hide frames.
template <class Header>
inline constexpr std::size_t most_to_confirm =
    Header::longest_frame + most_zeros_between + Header::size;
template <class Header>
class framed_meter : public block_meter<most_to_confirm<Header>, most_to_confirm<Header>> {
 public:
  framed_meter() { this->need(id3v2_header_bytes); }

  duration measured() const final {
    return this->status() == state::measuring ? total_ : duration{};
  }

  void finish() override {
    if (this->status() == state::unmeasurable) return;
    if (waits_for_frame_)
      count_cut_off(this->incomplete());
    else if (!in_step_)
      take_last(this->incomplete());
    if (this->status() == state::unmeasurable) return;
    if (!locked_) this->set_status(is_short_file() ? state::measuring : state::unmeasurable);
  }

 protected:
  // Called for the first frame, which may contain a table of contents instead of audio.
  virtual bool is_audio(std::string_view /*frame*/) { return true; }
  // Empty if the frame, and so the stream, cannot be counted. The last frame may be truncated.
  virtual std::optional<duration> length_of(const Header& header, std::string_view /*frame*/) {
    return header.length();
  }

  const Header& last_header() const { return last_; }
  std::uint64_t frames() const { return frames_; }
  void take_off(duration trimmed) { total_ -= trimmed; }

  std::size_t parse(std::string_view block) final {
    if (before_tags_end_ && is_tag(block)) return id3v2_header_bytes;
    waits_for_frame_ = false;
    std::size_t at = 0;
    while (block.size() - at >= Header::size && this->status() != state::unmeasurable) {
      Header header{block.data() + at};
      if (!(in_step_ && follows(header))) {
        const auto found = search(block.substr(at), header);
        at += found.passed;
        if (found.what == step::needs_more) return at;
        if (found.what == step::passed_over) continue;
        if (is_to_wait_for(header, block.size() - at)) return at;
        begin_run(block.substr(at, header.frame_bytes()));
      } else if (is_to_wait_for(header, block.size() - at)) {
        return at;
      }
      count(header, block.substr(at, header.frame_bytes()));
      at += pass_alike(block.substr(at), header);
      const auto left = block.size() - at, bytes = header.frame_bytes();
      if (bytes > left) this->skip(bytes - left);
      at += std::min(bytes, left);
    }
    this->need(Header::size);
    return at;
  }

 private:
  struct step {
    enum { needs_more, passed_over, frame_begins } what;
    std::size_t passed = 0;
  };

  bool is_tag(std::string_view block) {
    const auto bytes = id3v2_bytes(block);
    if (bytes) this->skip(*bytes - id3v2_header_bytes);
    before_tags_end_ = bytes.has_value();
    return before_tags_end_;
  }

  bool is_to_wait_for(const Header& header, std::size_t at_hand) {
    if constexpr (requires { Header::is_read_whole; }) {
      waits_for_frame_ = at_hand < header.frame_bytes();
      if (waits_for_frame_) this->need(header.frame_bytes());
    }
    return waits_for_frame_;
  }

  void count_cut_off(std::string_view frame) {
    const Header header{frame.data()};
    if (!in_step_) begin_run(frame);
    count(header, frame);
  }

  bool follows(const Header& header) const {
    return header.frame_bytes() != 0 && (locked_ || header.consistent_with(last_));
  }

  step search(std::string_view rest, const Header& header) {
    if (rest.front() == '\0' && (in_step_ || clean_))
      return pass(std::min(rest.find_first_not_of('\0'), rest.size()));
    in_step_ = false;
    if (header.frame_bytes() == 0) return pass_junk(to_next_header(rest));
    if (locked_ && junk_ < most_passing_junk && header.consistent_with(last_))
      return {step::frame_begins};
    return confirm(rest, header);
  }

  // The next header, or the position from which too few bytes are left to tell. All sync words
  // begin with eight ones.
  static std::size_t to_next_header(std::string_view rest) {
    for (std::size_t at = 1; at + Header::size <= rest.size(); ++at) {
      if (rest[at] != '\xFF') at = std::min(rest.find('\xFF', at), rest.size());
      if (at + Header::size > rest.size() || Header{rest.data() + at}.frame_bytes() != 0) return at;
    }
    return rest.size() - Header::size + 1;
  }

  step confirm(std::string_view rest, const Header& header) {
    for (std::size_t zeros = 0; zeros < most_zeros_between; ++zeros) {
      const auto next = header.frame_bytes() + zeros;
      if (rest.size() < next + Header::size) {
        this->need(next + Header::size);
        return {step::needs_more};
      }
      if (rest[next] == '\0') continue;
      const Header second{rest.data() + next};
      if (second.frame_bytes() == 0 || !second.consistent_with(header)) break;
      return {step::frame_begins};
    }
    return pass_junk(1);
  }

  step pass_junk(std::size_t bytes) {
    clean_ = false;
    return pass(bytes);
  }
  step pass(std::size_t bytes) {
    junk_ += bytes;
    if (!locked_ && (lead_ += bytes) > most_leading_junk) this->stop(state::unmeasurable);
    return {step::passed_over, bytes};
  }

  void begin_run(std::string_view first_frame) {
    in_step_ = true;
    if (locked_) return;
    // Several frames in a row do not occur by chance: players play them, whatever follows.
    if (run_ < 2) {
      total_ = {};
      frames_ = 0;
    }
    run_ = 0;
    run_from_start_ = clean_;
    clean_ = false;
    first_is_audio_ = is_audio(first_frame);
  }

  void count(const Header& header, std::string_view frame) {
    last_ = header;
    junk_ = 0;
    if (!locked_) lengthen_run(header);
    if (run_ == 1 && !first_is_audio_) return;
    ++frames_;
    const auto length = length_of(header, frame);
    if (!length) return this->stop(state::unmeasurable);
    total_ += *length;
  }

  // Skips the frames at the start of `rest` that are like the one just counted; `header` becomes
  // the last of them.
  //
  // Each header is a cache miss, and these misses are nearly all that a meter costs. Here the
  // length is chosen by the header's bits, not computed from them. So the processor can predict
  // where the next header is and load many at once instead of one after the other.
  std::size_t pass_alike(std::string_view rest, Header& header) {
    std::size_t passed = 0;
    if constexpr (requires { header.is_like(header) && header.is_padded(); }) {
      if (!locked_) return 0;
      std::uint64_t alike = 0;
      auto bytes = header.frame_bytes(), otherwise = header.padded_otherwise().frame_bytes();
      while (rest.size() - passed >= bytes + Header::size) {
        const Header next{rest.data() + passed + bytes};
        if (!next.is_like(header)) break;
        passed += bytes;
        ++alike;
        if (next.is_padded() != header.is_padded()) [[unlikely]] {
          header = next;
          std::swap(bytes, otherwise);
        }
      }
      frames_ += alike;
      total_ += duration::times(header.length(), alike);
    }
    return passed;
  }

  // Until enough frames are found to lock, their bytes may still turn out to be junk.
  void lengthen_run(const Header& header) {
    lead_ += header.frame_bytes();
    if (++run_ < (run_from_start_ ? Header::enough_frames : enough_frames_after_junk)) return;
    locked_ = true;
    this->set_status(state::measuring);
  }

  // Nothing follows that could confirm this frame, so it must end exactly at the end of the input.
  void take_last(std::string_view rest) {
    while (rest.size() >= Header::size) {
      const Header header{rest.data()};
      const bool fits = locked_ ? header.consistent_with(last_) : clean_;
      if (fits && header.frame_bytes() == rest.size()) {
        begin_run(rest);
        return count(header, rest);
      }
      rest.remove_prefix(1);
      clean_ = false;
    }
  }

  bool is_short_file() const {
    if (!run_from_start_) return run_ >= enough_frames_after_junk_at_end;
    return run_ >= 2 || (run_ == 1 && in_step_);
  }

  Header last_;
  duration total_;
  std::uint64_t frames_ = 0, junk_ = 0, lead_ = 0;
  unsigned run_ = 0;
  bool before_tags_end_ = true;
  bool clean_ = true;  // only tags and zeros so far
  bool in_step_ = false;
  bool waits_for_frame_ = false;  // its header has arrived
  bool locked_ = false;
  bool run_from_start_ = false, first_is_audio_ = true;
};

}  // namespace tollgate::routes::meters
