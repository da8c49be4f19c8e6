#include "routes/meters/matroska.hpp"

#include <algorithm>

#include "routes/meters/block_meter.hpp"
#include "routes/meters/ebml.hpp"
#include "routes/meters/hidden_clusters.hpp"
#include "routes/meters/matroska_block.hpp"
#include "routes/meters/matroska_entry.hpp"
#include "routes/meters/matroska_schema.hpp"
#include "routes/meters/matroska_track.hpp"

namespace tollgate::routes::meters {
namespace {

namespace id = matroska_id;

bool may_follow_segment(const ebml_element& element) {
  return is_root(element.id) || is_top_level(element.id) || element.id == id::void_element;
}

// Walks the tree of elements as decoders do. If a decoder could read it differently, because an
// element is too long or misplaced, the file is not measured. After damage between elements,
// decoders seek back and search for the next element of the top level, and so does this meter.
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
    element,       // the head of an element
    small,         // the content of a small element, read whole
    private_data,  // CodecPrivate
    block,         // content of a SimpleBlock or Block
    skipped,       // content that is not needed
    lost,          // damage: search for the next top-level element
  };
  // Decoders recognize a file by the content of its EBML header, and stop looking after this many
  // bytes.
  static constexpr std::uint64_t most_ebml_bytes = 1024;

  std::size_t parse(std::string_view block) override;
  std::size_t parse_stage(std::string_view block);
  std::size_t parse_element(std::string_view block);
  std::size_t parse_small(std::string_view block);
  std::size_t parse_private(std::string_view block);
  std::size_t parse_block(std::string_view block);
  std::size_t parse_skipped(std::string_view block);
  std::size_t parse_lost(std::string_view block);

  std::size_t refuse(std::string_view block);
  std::size_t lose_way(std::string_view block);
  void leave_masters();
  bool find_place(const ebml_element& element);
  bool leave_for(std::uint32_t element);
  void begin(const ebml_element& element);
  void begin_master(const ebml_element& element);
  void begin_segment_again();
  stage stage_of_content(std::uint32_t element) const;
  hidden_clusters::of kind_of_content() const;
  void take(std::string_view content);
  void add_track();
  std::string_view content_at_hand(std::string_view block) const;

  stage stage_ = stage::element;
  std::uint64_t position_ = 0;
  ebml_path path_;
  std::uint32_t element_ = 0;  // the current element
  std::uint64_t left_ = 0;     // bytes left of its content

  bool has_doc_type_ = false, has_segment_ = false, has_cluster_ = false;
  matroska_entry entry_;
  matroska_tracks tracks_;
  matroska_block block_;

  hidden_clusters hidden_;
  hidden_clusters::of kind_ = hidden_clusters::of::content;  // of the bytes consumed
  std::uint64_t sound_ = 0;  // the last element that was surely sound: decoders return to it
  bool goes_back_ = false;   // the last step found an error
};

std::size_t matroska_meter::parse(std::string_view block) {
  need(1);
  goes_back_ = false;
  kind_ = kind_of_content();
  const auto sound = sound_;
  const auto used = parse_stage(block);
  position_ += used;
  hidden_.look(block.substr(0, used), kind_);
  if (hidden_.found() || (goes_back_ && hidden_.may_be_behind(sound))) stop(state::unmeasurable);
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
  if (position_ == 0 && (!element || element->id != id::ebml)) return refuse(block);
  const bool is_behind = path_.empty() && has_segment_;
  if (!element || (is_behind && !may_follow_segment(*element))) return lose_way(block);
  if (!find_place(*element)) return refuse(block);
  begin(*element);
  return element->head_bytes;
}

// Bytes that are not an element are damage, or trailing data after a Segment.
std::size_t matroska_meter::lose_way(std::string_view block) {
  const bool is_between = path_.empty() || path_.innermost() == id::segment ||
                          path_.innermost() == id::cluster || path_.innermost() == id::block_group;
  if (!is_between) return refuse(block);
  goes_back_ = true;
  stage_ = stage::lost;
  return 1;
}

// Leaves the masters that the element ends. False if decoders would read it differently.
bool matroska_meter::find_place(const ebml_element& element) {
  const bool is_live = element.size == ebml_element::unknown_size;
  const bool is_behind = path_.empty() && has_segment_;
  if (is_root(element.id) && has_segment_) goes_back_ = true;
  if (!leave_for(element.id)) {
    if (!is_behind || is_root(element.id)) return false;
    begin_segment_again();
  }
  // Decoders reject it at first, and find it again after they have seeked back.
  if (is_live && element.id == id::cluster && !path_.empty() && !path_.is_of_unknown_size())
    begin_segment_again();
  const auto master = path_.empty() ? matroska_schema::document : path_.innermost();
  return matroska_schema::allows(element, master) && !path_.is_full() &&
         (is_live || path_.holds(position_ + element.head_bytes, element.size));
}

std::size_t matroska_meter::refuse(std::string_view block) {
  stop(state::unmeasurable);
  return block.size();
}

void matroska_meter::leave_masters() {
  while (const auto left = path_.leave_at(position_))
    if (*left == id::track_entry) add_track();
}

// A top-level element ends masters of unknown size. False if it is inside another master.
bool matroska_meter::leave_for(std::uint32_t element) {
  if (!is_root(element) && !is_top_level(element)) return true;
  const auto is_left = [&] { return is_root(element) || path_.innermost() != id::segment; };
  while (!path_.empty() && path_.is_of_unknown_size() && is_left()) path_.leave();
  if (is_root(element)) tracks_.end_document();
  return path_.empty() == is_root(element);
}

void matroska_meter::begin(const ebml_element& element) {
  kind_ = hidden_clusters::of::element;
  if (!entry_.begin(element.id, element.size)) return stop(state::unmeasurable);
  const bool is_cluster_or_such = is_top_level(element.id) || element.id == id::block_group;
  if (is_cluster_or_such || element.id == id::simple_block) sound_ = position_;
  if (matroska_schema::is_master(element.id)) return begin_master(element);
  element_ = element.id;
  left_ = element.size;
  stage_ = stage_of_content(element.id);
  if (stage_ == stage::block) block_.begin(left_);
  if (stage_ == stage::small) need(static_cast<std::size_t>(left_));
}

void matroska_meter::begin_master(const ebml_element& element) {
  path_.enter(element.id, position_ + element.head_bytes, element.size);
  stage_ = stage::element;
  if (element.id == id::track_entry) entry_ = {};
  if (element.id == id::cluster) has_cluster_ = true;
  if (element.id == id::ebml && element.size > most_ebml_bytes) stop(state::unmeasurable);
  if (element.id == id::segment && !has_doc_type_) stop(state::unmeasurable);
  if (element.id == id::segment) has_segment_ = true;
}

// Does what decoders do after they have found a top-level element by searching: its Segment has no
// end any more.
void matroska_meter::begin_segment_again() {
  goes_back_ = true;
  while (!path_.empty()) path_.leave();
  path_.enter(id::segment, position_, ebml_element::unknown_size);
}

matroska_meter::stage matroska_meter::stage_of_content(std::uint32_t element) const {
  if (left_ == 0) return stage::element;
  if (is_small(element)) return left_ <= most_small_bytes ? stage::small : stage::skipped;
  if (element == id::codec_private) return stage::private_data;
  if (element == id::simple_block || element == id::block) return stage::block;
  return stage::skipped;
}

hidden_clusters::of matroska_meter::kind_of_content() const {
  if (stage_ == stage::block) return hidden_clusters::of::frames;
  if (stage_ != stage::skipped) return hidden_clusters::of::content;
  if (element_ == id::block_additional) return hidden_clusters::of::frames;
  return element_ == id::file_data ? hidden_clusters::of::file : hidden_clusters::of::content;
}

std::size_t matroska_meter::parse_small(std::string_view block) {
  const auto size = static_cast<std::size_t>(left_);
  if (block.size() < size) {
    need(size);
    return 0;
  }
  left_ = 0;
  stage_ = stage::element;
  take(block.substr(0, size));
  return size;
}

void matroska_meter::take(std::string_view content) {
  constexpr std::size_t id_bytes = 4;
  switch (element_) {
    case id::doc_type: {
      const auto name = content.substr(0, content.find('\0'));
      has_doc_type_ = name == "matroska" || name == "webm";
      break;
    }
    case id::seek_id:
      if (content.size() == id_bytes) kind_ = hidden_clusters::of::element;
      break;
    case id::discard_padding:
      if (auto* track = tracks_.latest()) track->set_discard_padding(ebml_signed(content));
      break;
    default:
      entry_.take(element_, content);
      break;
  }
}

std::size_t matroska_meter::parse_private(std::string_view block) {
  const auto piece = content_at_hand(block);
  entry_.take_private(piece);
  left_ -= piece.size();
  if (left_ == 0) stage_ = stage::element;
  return piece.size();
}

// A SeekHead may point decoders to tracks after the blocks that were already read.
void matroska_meter::add_track() {
  const bool is_late = has_cluster_ && !tracks_.has(entry_.get().number);
  if (is_late || !tracks_.add(entry_.get())) return stop(state::unmeasurable);
  if (!tracks_.empty()) set_status(state::measuring);
  entry_ = {};
}

std::size_t matroska_meter::parse_block(std::string_view block) {
  const auto [used, needed] = block_.read(content_at_hand(block), tracks_);
  need(needed);
  left_ -= used;
  if (left_ > 0) return used;
  stage_ = stage::element;
  goes_back_ = block_.may_be_broken();
  if (tracks_.is_unclear() || block_.is_of_no_track()) stop(state::unmeasurable);
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
    const auto id = static_cast<std::uint32_t>(big_endian(block.substr(at, id_bytes)));
    return is_top_level(id) || is_root(id);
  };
  std::size_t at = 0;
  while (at + id_bytes <= block.size() && !is_id(at)) ++at;
  if (at > 0) return at;
  stage_ = stage::element;
  while (!path_.empty()) path_.leave();
  return parse_element(block);
}

void matroska_meter::finish() {
  if (status() == state::unmeasurable) return;
  tracks_.finish();
  // If the end is missing, decoders seek back, too.
  if (hidden_.may_be_behind(sound_)) stop(state::unmeasurable);
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
