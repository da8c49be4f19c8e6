#include "routes/meters/matroska.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "routes/meters/block_meter.hpp"
#include "routes/meters/ebml.hpp"
#include "routes/meters/matroska_ids.hpp"
#include "routes/meters/matroska_lacing.hpp"
#include "routes/meters/matroska_track.hpp"

namespace tollgate::routes::meters {
namespace {

namespace id = matroska_id;

constexpr std::size_t most_small_bytes = 64;

// Walks the tree of elements by their ids, which are unique: what stands where it does not belong
// counts all the same.
class matroska_meter final : public block_meter<most_small_bytes> {
 public:
  void finish() override;
  duration measured() const override;
  std::string_view container() const override {
    return status() == state::measuring ? "matroska" : "";
  }
  std::string_view codec() const override {
    return tracks_.empty() ? std::string_view{} : tracks_.front().codec();
  }

 private:
  enum class stage : std::uint8_t {
    element,       // the head of one
    small,         // its content, whole
    private_data,  // CodecPrivate
    block_head,
    block_lacing,
    block_frames,
    skipped,  // content of no interest
    lost,     // nonsense, in which the next element of a file's top levels is searched
  };
  static constexpr std::size_t most_tracks = 64;
  // The setup header of Vorbis stands in it, with all of the comments before it.
  static constexpr std::size_t most_private_bytes = 64 * 1024;

  std::size_t parse(std::string_view block) override;
  std::size_t parse_stage(std::string_view block);
  std::size_t parse_element(std::string_view block);
  std::size_t parse_small(std::string_view block);
  std::size_t parse_private(std::string_view block);
  std::size_t parse_block_head(std::string_view block);
  std::size_t parse_lacing(std::string_view block);
  std::size_t parse_frames(std::string_view block);
  std::size_t parse_skipped(std::string_view block);
  std::size_t parse_lost(std::string_view block);

  void leave_masters();
  void leave_for(std::uint32_t top);
  bool is_possible(const ebml_element& element) const;
  void begin(const ebml_element& element);
  void begin_master(const ebml_element& element);
  stage stage_of_content(std::uint32_t element) const;
  void take(std::uint32_t element, std::string_view content);
  std::int64_t nanoseconds(std::uint64_t ticks, std::int16_t of_block) const;
  void add_track();
  matroska_track* find_track(std::uint64_t number);
  bool next_frame();
  void end_block();
  bool is_in_content() const { return stage_ != stage::element && stage_ != stage::lost; }
  std::string_view content_at_hand(std::string_view block) const;
  void watch_content(std::string_view content);

  stage stage_ = stage::element;
  std::uint64_t position_ = 0;
  ebml_path path_;
  std::uint32_t element_ = 0;  // the one at hand
  std::uint64_t left_ = 0;     // of its content

  track_entry entry_;
  std::vector<matroska_track> tracks_;
  std::uint64_t timestamp_scale_ns_ = 1'000'000, cluster_timestamp_ = 0;

  matroska_track* track_ = nullptr;  // of the block at hand or the latest
  matroska_lacing lacing_;
  std::uint64_t frame_left_ = 0;
  bool in_frame_ = false, expects_head_ = false;

  // The last bytes of the content at hand, and how much of it stands behind a Cluster's id in it.
  std::uint32_t last_bytes_ = 0;
  std::optional<std::uint64_t> hidden_bytes_;
  duration hidden_;
};

std::size_t matroska_meter::parse(std::string_view block) {
  need(1);
  const bool is_content = is_in_content();
  const auto used = parse_stage(block);
  position_ += used;
  if (is_content) watch_content(block.substr(0, used));
  return used;
}

std::size_t matroska_meter::parse_stage(std::string_view block) {
  switch (stage_) {
    case stage::element:
      return parse_element(block);
    case stage::small:
      return parse_small(block);
    case stage::private_data:
      return parse_private(block);
    case stage::block_head:
      return parse_block_head(block);
    case stage::block_lacing:
      return parse_lacing(block);
    case stage::block_frames:
      return parse_frames(block);
    case stage::skipped:
      return parse_skipped(block);
    case stage::lost:
      return parse_lost(block);
  }
  return block.size();
}

std::size_t matroska_meter::parse_element(std::string_view block) {
  leave_masters();
  const ebml_head head{block};
  const auto& element = head.element();
  if (!element && !head.is_broken()) {
    need(head.needed_bytes());
    return 0;
  }
  if (position_ == 0 && (!element || element->id != id::ebml)) {
    stop(state::unmeasurable);
    return block.size();
  }
  if (element && (is_root(element->id) || is_top_level(element->id))) leave_for(element->id);
  if (!element || !is_possible(*element)) {
    stage_ = stage::lost;
    return 1;
  }
  begin(*element);
  return element->head_bytes;
}

void matroska_meter::leave_masters() {
  while (const auto left = path_.leave_at(position_))
    if (*left == id::track_entry) add_track();
}

// What can only stand at the top ends all else, whether that has an end of its own or not.
void matroska_meter::leave_for(std::uint32_t top) {
  while (!path_.empty() && (is_root(top) || path_.innermost() != id::segment))
    if (path_.leave() == id::track_entry) add_track();
  if (is_root(top))
    for (auto& track : tracks_) track.end_document();
}

// Decoders leave their path where an element goes on beyond its master's end. Masters are entered
// even then: they are no place to hide anything.
bool matroska_meter::is_possible(const ebml_element& element) const {
  if (element.size == ebml_element::unknown_size)
    return element.id == id::segment || element.id == id::cluster;
  return is_master(element.id) || path_.holds(position_ + element.head_bytes, element.size);
}

void matroska_meter::begin(const ebml_element& element) {
  if (is_master(element.id)) return begin_master(element);
  element_ = element.id;
  left_ = element.size;
  last_bytes_ = 0;
  hidden_bytes_.reset();
  stage_ = stage_of_content(element.id);
  if (element_ == id::content_encryption) entry_.is_encrypted = true;
  if (stage_ == stage::private_data) entry_.codec_private.clear();
  if (stage_ == stage::small) need(static_cast<std::size_t>(left_));
}

void matroska_meter::begin_master(const ebml_element& element) {
  path_.enter(element.id, position_ + element.head_bytes, element.size);
  stage_ = stage::element;
  if (element.id == id::track_entry) entry_ = {};
  // Where no algorithm is named, zlib is meant.
  if (element.id == id::content_compression) entry_.is_compressed = true;
}

matroska_meter::stage matroska_meter::stage_of_content(std::uint32_t element) const {
  if (left_ == 0) return stage::element;
  if (is_small(element)) return left_ <= most_small_bytes ? stage::small : stage::skipped;
  if (element == id::codec_private) return stage::private_data;
  if (element == id::simple_block || element == id::block) return stage::block_head;
  return stage::skipped;
}

std::size_t matroska_meter::parse_small(std::string_view block) {
  const auto size = static_cast<std::size_t>(left_);
  if (block.size() < size) {
    need(size);
    return 0;
  }
  left_ = 0;
  stage_ = stage::element;
  take(element_, block.substr(0, size));
  return size;
}

void matroska_meter::take(std::uint32_t element, std::string_view content) {
  const auto number = content.size() <= 8 ? big_endian(content) : 0;
  switch (element) {
    case id::timestamp_scale:
      timestamp_scale_ns_ = number;
      break;
    case id::track_number:
      entry_.number = number;
      break;
    case id::track_type:
      entry_.type = number;
      break;
    case id::default_duration:
      entry_.default_duration_ns = number;
      break;
    case id::codec_id:
      entry_.codec_id = content.substr(0, content.find('\0'));
      break;
    case id::sampling_frequency:
      entry_.sampling_frequency = ebml_float(content);
      break;
    case id::channels:
      entry_.channels = number;
      break;
    case id::bit_depth:
      entry_.bit_depth = number;
      break;
    case id::compression_algorithm:
      entry_.is_compressed = number != track_entry::header_stripping;
      break;
    case id::compression_settings:
      entry_.stripped_header = content;
      break;
    case id::timestamp:
      cluster_timestamp_ = number;
      break;
    case id::block_duration:
      if (track_ != nullptr)
        track_->set_block_duration(static_cast<std::uint64_t>(nanoseconds(number, 0)));
      break;
    case id::discard_padding:
      if (track_ != nullptr) track_->set_discard_padding(ebml_signed(content));
      break;
    default:
      break;
  }
}

// Of ticks of the file and those that a block adds to its cluster's.
std::int64_t matroska_meter::nanoseconds(std::uint64_t ticks, std::int16_t of_block) const {
  constexpr __int128 most = std::numeric_limits<std::int64_t>::max() / 2;
  const auto sum = std::max<__int128>(static_cast<__int128>(ticks) + of_block, 0);
  return static_cast<std::int64_t>(
      std::min(std::min(sum, most) * std::min<__int128>(timestamp_scale_ns_, most), most));
}

std::size_t matroska_meter::parse_private(std::string_view block) {
  const auto piece = content_at_hand(block);
  auto& kept = entry_.codec_private;
  kept.append(piece.substr(0, most_private_bytes - kept.size()));
  left_ -= piece.size();
  if (left_ == 0) stage_ = stage::element;
  return piece.size();
}

void matroska_meter::add_track() {
  // As in ffmpeg, the first track of a number has it.
  if (entry_.type == track_entry::audio && find_track(entry_.number) == nullptr) {
    if (tracks_.size() == most_tracks) return stop(state::unmeasurable);
    tracks_.emplace_back(entry_);
    track_ = nullptr;
    set_status(state::measuring);
  }
  entry_ = {};
}

matroska_track* matroska_meter::find_track(std::uint64_t number) {
  const auto found = std::find_if(tracks_.begin(), tracks_.end(),
                                  [number](const auto& each) { return each.number() == number; });
  return found == tracks_.end() ? nullptr : &*found;
}

// RFC 9559, section 10.1: the track's number, a timestamp of 16 bits, the flags.
std::size_t matroska_meter::parse_block_head(std::string_view block) {
  const auto number_bytes = static_cast<std::size_t>(std::countl_zero(byte_at(block, 0))) + 1;
  const auto head_bytes = number_bytes + 3;
  if (number_bytes > 8 || head_bytes > left_) return parse_skipped(block);
  if (block.size() < head_bytes) {
    need(head_bytes);
    return 0;
  }
  const auto mask = (std::uint64_t{1} << 7 * number_bytes) - 1;
  track_ = find_track(big_endian(block.substr(0, number_bytes)) & mask);
  if (track_ == nullptr) return parse_skipped(block);
  left_ -= head_bytes;
  const auto timestamp = static_cast<std::int16_t>(big_endian(block.substr(number_bytes, 2)));
  track_->begin_block(nanoseconds(cluster_timestamp_, timestamp));
  lacing_.begin(byte_at(block, head_bytes - 1), left_);
  in_frame_ = false;
  stage_ = lacing_.wants_byte() ? stage::block_lacing : stage::block_frames;
  if (left_ == 0) end_block();
  return head_bytes;
}

std::size_t matroska_meter::parse_lacing(std::string_view block) {
  std::size_t used = 0;
  for (; used < block.size() && left_ > 0 && lacing_.wants_byte(); --left_)
    lacing_.take(byte_at(block, used++));
  if (!lacing_.wants_byte()) stage_ = stage::block_frames;
  if (left_ == 0) end_block();
  return used;
}

std::size_t matroska_meter::parse_frames(std::string_view block) {
  const auto content = content_at_hand(block);
  auto rest = content;
  while (!rest.empty()) {
    if (!in_frame_ && !next_frame()) return parse_skipped(block);
    if (expects_head_) {
      const auto head_bytes = track_->head_bytes(frame_left_);
      if (rest.size() < head_bytes) {
        need(head_bytes);
        break;
      }
      track_->begin_frame(rest.substr(0, head_bytes), frame_left_);
      expects_head_ = false;
    }
    const auto piece =
        rest.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(frame_left_, rest.size())));
    track_->frame_piece(piece);
    rest.remove_prefix(piece.size());
    frame_left_ -= piece.size();
    in_frame_ = frame_left_ > 0;
  }
  const auto used = content.size() - rest.size();
  left_ -= used;
  if (left_ == 0) end_block();
  return used;
}

bool matroska_meter::next_frame() {
  const auto size = lacing_.next_frame();
  if (!size) return false;
  frame_left_ = *size;
  in_frame_ = expects_head_ = true;
  return true;
}

void matroska_meter::end_block() {
  // Frames of no bytes may be left.
  while (next_frame()) track_->begin_frame({}, 0);
  track_->end_block();
  stage_ = stage::element;
}

std::string_view matroska_meter::content_at_hand(std::string_view block) const {
  return block.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, block.size())));
}

std::size_t matroska_meter::parse_skipped(std::string_view block) {
  const auto used = content_at_hand(block).size();
  left_ -= used;
  stage_ = left_ == 0 ? stage::element : stage::skipped;
  return used;
}

// As decoders do, at most bytes too early or too late for what is broken.
std::size_t matroska_meter::parse_lost(std::string_view block) {
  constexpr std::size_t id_bytes = 4;
  if (block.size() < id_bytes) {
    need(id_bytes);
    return 0;
  }
  std::size_t at = 0;
  for (; at + id_bytes <= block.size(); ++at) {
    // All of their ids begin so, and few other bytes.
    if ((byte_at(block, at) & 0xF0) != 0x10) continue;
    const auto id = static_cast<std::uint32_t>(big_endian(block.substr(at, id_bytes)));
    if (!is_top_level(id) && !is_root(id)) continue;
    stage_ = stage::element;
    break;
  }
  return at;
}

// Where an element has not come whole when the input ends, decoders that can go back look for a
// Cluster in it, and play from there. So a file may hide all of its audio in a Void that claims to
// go on beyond its end. If it does, what it hides is taken for speech at the lowest bit rate of
// Opus. By chance, a Cluster's id stands in content once in 4 GB.
void matroska_meter::watch_content(std::string_view content) {
  if (hidden_bytes_) {
    *hidden_bytes_ += content.size();
    return;
  }
  constexpr std::string_view pattern = "\x1F\x43\xB6\x75";
  const auto seam = std::min(content.size(), pattern.size() - 1);
  auto before = last_bytes_;
  for (std::size_t i = 0; i < seam; ++i) {
    before = before << 8 | byte_at(content, i);
    if (before == id::cluster) hidden_bytes_ = content.size() - (i + 1);
  }
  const auto found = content.find(pattern);
  if (found != content.npos && !hidden_bytes_)
    hidden_bytes_ = content.size() - (found + pattern.size());
  for (const char c : content.substr(content.size() - std::min(content.size(), pattern.size())))
    last_bytes_ = last_bytes_ << 8 | static_cast<std::uint8_t>(c);
}

void matroska_meter::finish() {
  constexpr std::uint64_t lowest_bit_rate = 6000;
  if (is_in_content() && hidden_bytes_)
    hidden_ = duration::of_samples(*hidden_bytes_ * 8, lowest_bit_rate);
  for (auto& track : tracks_) track.finish();
  if (status() == state::undecided) stop(state::unmeasurable);
}

duration matroska_meter::measured() const {
  duration longest;
  for (const auto& track : tracks_) longest = std::max(longest, track.measured());
  return longest + hidden_;
}

}  // namespace

std::unique_ptr<meter> make_matroska_meter() {
  return std::make_unique<matroska_meter>();
}

}  // namespace tollgate::routes::meters
