#include "routes/meters/matroska.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "routes/meters/block_meter.hpp"
#include "routes/meters/ebml.hpp"
#include "routes/meters/matroska_block.hpp"
#include "routes/meters/matroska_ids.hpp"
#include "routes/meters/matroska_track.hpp"

namespace tollgate::routes::meters {
namespace {

namespace id = matroska_id;

constexpr std::size_t most_small_bytes = 64;

// The id, a size of up to eight bytes, and the id of the first child.
constexpr std::size_t cluster_sign_bytes = 4 + 8 + 1;

// By chance, these stand in other content once in a hundred gigabytes.
bool has_cluster_sign(std::string_view content) {
  constexpr std::string_view cluster = "\x1F\x43\xB6\x75";
  // Timestamp, CRC-32, Void, Position, PrevSize, SimpleBlock, BlockGroup.
  constexpr std::string_view first_children = "\xE7\xBF\xEC\xA7\xAB\xA3\xA0";
  for (auto at = content.find(cluster); at != content.npos; at = content.find(cluster, at + 1)) {
    const auto rest = content.substr(at + cluster.size());
    if (rest.empty() || rest.front() == '\0') continue;
    const auto size_bytes =
        static_cast<std::size_t>(std::countl_zero(static_cast<std::uint8_t>(rest.front()))) + 1;
    if (rest.size() > size_bytes && first_children.find(rest[size_bytes]) != first_children.npos)
      return true;
  }
  return false;
}

// Walks the tree of elements by their ids, which are unique: what stands where it does not belong
// counts all the same.
class matroska_meter final : public block_meter<most_small_bytes> {
 public:
  void finish() override;
  duration measured() const override;
  std::string_view container() const override {
    return status() == state::measuring ? "matroska" : "";
  }
  std::string_view codec() const override { return tracks_.codec(); }

 private:
  enum class stage : std::uint8_t {
    element,       // the head of one
    small,         // its content, whole
    private_data,  // CodecPrivate
    block,         // that of a SimpleBlock or Block
    skipped,       // content of no interest
    lost,          // nonsense, in which the next element of a file's top levels is searched
  };
  // The setup header of Vorbis stands in it, with all of the comments before it.
  static constexpr std::size_t most_private_bytes = 64 * 1024;
  // Decoders know a file by what stands in its EBML header, and do not look for that far away.
  static constexpr std::uint64_t most_ebml_bytes = 1024;

  std::size_t parse(std::string_view block) override;
  std::size_t parse_stage(std::string_view block);
  std::size_t parse_element(std::string_view block);
  std::size_t parse_small(std::string_view block);
  std::size_t parse_private(std::string_view block);
  std::size_t parse_block(std::string_view block);
  std::size_t parse_skipped(std::string_view block);
  std::size_t parse_lost(std::string_view block);

  void leave_masters();
  void leave_for(std::uint32_t top);
  bool is_possible(const ebml_element& element) const;
  void begin(const ebml_element& element);
  void begin_master(const ebml_element& element);
  stage stage_of_content(std::uint32_t element) const;
  void take(std::uint32_t element, std::string_view content);
  void add_track();
  bool is_in_content() const { return stage_ != stage::element && stage_ != stage::lost; }
  std::string_view content_at_hand(std::string_view block) const;
  bool hides_cluster(std::string_view content);

  stage stage_ = stage::element;
  std::uint64_t position_ = 0;
  ebml_path path_;
  std::uint32_t element_ = 0;  // the one at hand
  std::uint64_t left_ = 0;     // of its content

  bool has_doc_type_ = false;
  track_entry entry_;
  matroska_tracks tracks_;
  matroska_block block_;

  std::array<char, cluster_sign_bytes - 1> last_bytes_;  // of the content at hand
  std::size_t kept_ = 0;                                 // so many of them
};

std::size_t matroska_meter::parse(std::string_view block) {
  need(1);
  const bool is_content = is_in_content();
  const auto used = parse_stage(block);
  position_ += used;
  if (is_content && hides_cluster(block.substr(0, used))) stop(state::unmeasurable);
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
    case stage::block:
      return parse_block(block);
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
  if (is_root(top)) tracks_.end_document();
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
  kept_ = 0;
  stage_ = stage_of_content(element.id);
  if (element_ == id::content_encryption) entry_.is_encrypted = true;
  // Decoders cut it off all the same.
  const bool is_too_long = left_ > most_small_bytes;
  if (element_ == id::compression_settings && is_too_long) entry_.is_compressed = true;
  if (stage_ == stage::block) block_.begin(left_);
  if (stage_ == stage::private_data) entry_.codec_private.clear();
  if (stage_ == stage::small) need(static_cast<std::size_t>(left_));
}

void matroska_meter::begin_master(const ebml_element& element) {
  path_.enter(element.id, position_ + element.head_bytes, element.size);
  stage_ = stage::element;
  if (element.id == id::track_entry) entry_ = {};
  // Where no algorithm is named, zlib is meant.
  if (element.id == id::content_encoding) {
    ++entry_.encodings;
    entry_.is_compressed = true;
  }
  if (element.id == id::ebml && element.size > most_ebml_bytes) stop(state::unmeasurable);
  if (element.id == id::segment && !has_doc_type_) stop(state::unmeasurable);
}

matroska_meter::stage matroska_meter::stage_of_content(std::uint32_t element) const {
  if (left_ == 0) return stage::element;
  if (is_small(element)) return left_ <= most_small_bytes ? stage::small : stage::skipped;
  if (element == id::codec_private) return stage::private_data;
  if (element == id::simple_block || element == id::block) return stage::block;
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
    case id::doc_type: {
      const auto name = content.substr(0, content.find('\0'));
      has_doc_type_ = name == "matroska" || name == "webm";
      break;
    }
    case id::track_number:
      entry_.number = number;
      break;
    case id::track_type:
      entry_.type = number;
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
    case id::encoding_scope:
      entry_.is_of_frames_only = number == 1;
      break;
    case id::encoding_type:
      entry_.is_encrypted = entry_.is_encrypted || number != 0;
      break;
    case id::compression_algorithm:
      entry_.is_compressed = number != track_entry::header_stripping;
      break;
    case id::compression_settings:
      entry_.stripped_header = content;
      break;
    case id::discard_padding:
      if (auto* track = tracks_.latest()) track->set_discard_padding(ebml_signed(content));
      break;
    default:
      break;
  }
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
  if (!tracks_.add(entry_)) return stop(state::unmeasurable);
  if (!tracks_.empty()) set_status(state::measuring);
  entry_ = {};
}

std::size_t matroska_meter::parse_block(std::string_view block) {
  const auto [used, needed] = block_.read(content_at_hand(block), tracks_);
  need(needed);
  left_ -= used;
  if (left_ == 0) stage_ = stage::element;
  if (left_ == 0 && tracks_.is_unclear()) stop(state::unmeasurable);
  return used;
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

std::size_t matroska_meter::parse_lost(std::string_view block) {
  constexpr std::size_t id_bytes = 4;
  if (block.size() < id_bytes) {
    need(id_bytes);
    return 0;
  }
  const auto is_id = [&](std::size_t at) {
    // All of them begin so, and few other bytes.
    if ((byte_at(block, at) & 0xF0) != 0x10) return false;
    const auto id = static_cast<std::uint32_t>(big_endian(block.substr(at, id_bytes)));
    return is_top_level(id) || is_root(id);
  };
  std::size_t at = 0;
  while (at + id_bytes <= block.size() && !is_id(at)) ++at;
  if (at + id_bytes > block.size()) return at;
  stage_ = stage::element;
  return at > 0 ? at : parse_element(block);
}

// Where anything is wrong, decoders that can go back look for a Cluster, also in the content of
// what they had passed over, and play from there. So all of the audio may hide in a Void, a tag, or
// the data of a block. A stream with a Cluster in such a place has two readings and is not
// measured.
bool matroska_meter::hides_cluster(std::string_view content) {
  // Where two pieces meet: the end of what came before, and the beginning of this one.
  std::array<char, 2 * std::tuple_size_v<decltype(last_bytes_)>> seam;
  const auto head = content.substr(0, last_bytes_.size());
  std::memcpy(seam.data(), last_bytes_.data(), kept_);
  std::memcpy(seam.data() + kept_, head.data(), head.size());
  const std::string_view joined{seam.data(), kept_ + head.size()};
  if (has_cluster_sign(joined) || has_cluster_sign(content)) return true;
  const auto end = content.size() < last_bytes_.size() ? joined : content;
  kept_ = std::min(end.size(), last_bytes_.size());
  std::memcpy(last_bytes_.data(), end.data() + end.size() - kept_, kept_);
  return false;
}

void matroska_meter::finish() {
  if (status() == state::unmeasurable) return;
  tracks_.finish();
  if (status() == state::undecided || tracks_.is_unclear()) stop(state::unmeasurable);
}

duration matroska_meter::measured() const {
  return status() == state::measuring ? tracks_.longest() : duration{};
}

}  // namespace

std::unique_ptr<meter> make_matroska_meter() {
  return std::make_unique<matroska_meter>();
}

}  // namespace tollgate::routes::meters
