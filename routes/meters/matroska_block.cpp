#include "routes/meters/matroska_block.hpp"

#include <algorithm>
#include <bit>

#include "routes/meters/bytes.hpp"

namespace tollgate::routes::meters {

void matroska_block::begin(std::uint64_t size) {
  stage_ = stage::head;
  left_ = size;
  in_frame_ = is_of_no_track_ = false;
  // ffmpeg cannot restore stripped headers in larger blocks. No audio comes in such blocks.
  constexpr std::uint64_t most_audio = 1 << 20;
  may_be_broken_ = size > most_audio;
}

matroska_block::progress matroska_block::read(std::string_view bytes, matroska_tracks& tracks) {
  switch (stage_) {
    case stage::head:
      return read_head(bytes, tracks);
    case stage::lacing:
      return read_lacing(bytes);
    case stage::frames:
      return read_frames(bytes);
    case stage::ignored:
      return ignore(bytes);
  }
  return ignore(bytes);
}

// Section 10.1: the track number, a 16-bit timestamp, the flags.
matroska_block::progress matroska_block::read_head(std::string_view bytes,
                                                   matroska_tracks& tracks) {
  const auto number_bytes = static_cast<std::size_t>(std::countl_zero(byte_at(bytes, 0))) + 1;
  const auto head_bytes = number_bytes + 3;
  if (number_bytes > 8 || head_bytes > left_) return give_up(bytes);
  if (bytes.size() < head_bytes) return {0, head_bytes};
  const auto mask = (std::uint64_t{1} << 7 * number_bytes) - 1;
  const auto number = big_endian(bytes.substr(0, number_bytes)) & mask;
  track_ = tracks.find(number);
  is_of_no_track_ = !tracks.has(number);
  tracks.set_latest(track_);
  if (track_ == nullptr) {
    constexpr unsigned lacing_flags = 0x06;
    may_be_broken_ =
        !tracks.is_plain_video(number) || (byte_at(bytes, head_bytes - 1) & lacing_flags) != 0;
    return ignore(bytes);
  }
  track_->begin_block();
  lacing_.begin(byte_at(bytes, head_bytes - 1), left_ - head_bytes);
  stage_ = lacing_.wants_byte() ? stage::lacing : stage::frames;
  return use(head_bytes);
}

matroska_block::progress matroska_block::read_lacing(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && lacing_.wants_byte()) lacing_.take(byte_at(bytes, used++));
  if (!lacing_.wants_byte()) stage_ = stage::frames;
  return use(used);
}

matroska_block::progress matroska_block::read_frames(std::string_view bytes) {
  auto rest = bytes;
  while (!rest.empty()) {
    if (!in_frame_ && !next_frame()) return give_up(bytes);
    if (expects_head_) {
      const auto head_bytes = track_->head_bytes(frame_left_);
      if (rest.size() < head_bytes) return use(bytes.size() - rest.size(), head_bytes);
      track_->begin_frame(rest.substr(0, head_bytes), frame_left_);
      expects_head_ = false;
    }
    const auto at_hand = std::min<std::uint64_t>(frame_left_, rest.size());
    const auto piece = rest.substr(0, static_cast<std::size_t>(at_hand));
    track_->frame_piece(piece);
    rest.remove_prefix(piece.size());
    frame_left_ -= piece.size();
    in_frame_ = frame_left_ > 0;
  }
  return use(bytes.size());
}

bool matroska_block::next_frame() {
  const auto size = lacing_.next_frame();
  if (!size) return false;
  frame_left_ = *size;
  in_frame_ = expects_head_ = true;
  return true;
}

matroska_block::progress matroska_block::give_up(std::string_view bytes) {
  may_be_broken_ = true;
  return ignore(bytes);
}

matroska_block::progress matroska_block::ignore(std::string_view bytes) {
  stage_ = stage::ignored;
  left_ -= bytes.size();
  return {bytes.size(), 1};
}

matroska_block::progress matroska_block::use(std::size_t bytes, std::size_t then_needed) {
  left_ -= bytes;
  if (left_ == 0) {
    // Empty frames may remain.
    while (next_frame()) track_->begin_frame({}, 0);
    may_be_broken_ = may_be_broken_ || !lacing_.is_done();
    track_->end_block();
  }
  return {bytes, then_needed};
}

}  // namespace tollgate::routes::meters
