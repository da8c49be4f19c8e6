#include "routes/meters/mp4.hpp"

#include <algorithm>
#include <array>

#include "routes/meters/block_meter.hpp"
#include "routes/meters/mp4/box_path.hpp"
#include "routes/meters/mp4/movie.hpp"

namespace tollgate::routes::meters {
namespace {

using namespace mp4;

constexpr std::array first_boxes{name("ftyp"), name("moov"), name("mdat"), name("free"),
                                 name("skip"), name("wide"), name("pnot"), name("styp"),
                                 name("moof"), name("sidx"), name("uuid"), name("emsg"),
                                 name("prft"), name("pdin"), name("hoov"), name("udta")};

template <class Boxes>
bool contains(const Boxes& boxes, fourcc type) {
  return std::find(boxes.begin(), boxes.end(), type) != boxes.end();
}

// Walks the boxes; `movie` interprets them.
class box_walker final : public block_meter<box_path::longest_header + movie::longest_head> {
 public:
  explicit box_walker(movie& of) : movie_{of} { need(shortest_header); }

  void finish() override {
    // The movie box ends with the file.
    if (path_.is_inside(name("moov"))) movie_.pass(saturated);
  }
  duration measured() const override { return {}; }
  std::string_view container() const override { return recognized_ ? "mp4" : ""; }
  std::string_view codec() const override { return {}; }

 private:
  static constexpr std::size_t shortest_header = 8;

  std::size_t parse(std::string_view block) override {
    const auto used = entries_left_ > 0 ? read_entries(block) : read_box(block);
    if (status() == state::unmeasurable) return used;
    movie_.pass(position_);
    return movie_.is_unclear() ? give_up() : used;
  }

  std::size_t read_box(std::string_view block) {
    path_.leave_all_that_end_at(position_);
    if (path_.end() - position_ < shortest_header) return skip_to(path_.end());
    const auto header = u32(block, 0) == 1 ? box_path::longest_header : shortest_header;
    if (block.size() < header) return ask_for(header);
    const auto opened = path_.read(block, position_);
    // Bytes that cannot be a box header end the parent box: players do not look further in it.
    if (!opened) return skip_to(path_.end());
    const auto wanted = header + head_of(*opened);
    if (block.size() < wanted) return ask_for(wanted);
    return read_content(*opened, block.substr(header, wanted - header));
  }

  std::size_t head_of(const box& opened) const {
    const auto content = opened.end - opened.begin - opened.header;
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(movie::head_size(opened.type, path_.parent()), content));
  }

  std::size_t read_content(const box& opened, std::string_view head) {
    if (opened.begin == 0 && !contains(first_boxes, opened.type)) return give_up();
    recognized_ = true;
    const auto inside = movie_.read(opened, path_, head);
    if (movie_.is_unclear()) return give_up();
    if (inside.is == layout::kind::of_no_interest) return skip_to(opened.end);
    const auto content = std::min(add(opened.begin, opened.header + inside.head), opened.end);
    if (inside.is == layout::kind::boxes)
      return path_.enter(opened) ? advance_to(content) : skip_to(opened.end);
    return open_table(inside, content, opened.end);
  }

  std::size_t open_table(const layout& inside, std::uint64_t content, std::uint64_t end) {
    // Some readers would continue past the end of the box.
    if (multiply(inside.entries, inside.entry_size) > end - content) return give_up();
    entries_left_ = inside.entries;
    entry_size_ = inside.entry_size;
    table_end_ = end;
    const auto used = advance_to(content);
    need(entry_size_);
    return used;
  }

  std::size_t read_entries(std::string_view block) {
    const auto n = std::min<std::uint64_t>(entries_left_, block.size() / entry_size_);
    for (std::uint64_t i = 0; i < n; ++i, block.remove_prefix(entry_size_))
      movie_.read_entry(block.substr(0, entry_size_));
    if (movie_.is_unclear()) return give_up();
    entries_left_ -= n;
    const auto used = static_cast<std::size_t>(n) * entry_size_;
    position_ += used;
    if (entries_left_ > 0) return used;
    skip_to(table_end_);
    return used;
  }

  std::size_t ask_for(std::size_t bytes) {
    need(bytes);
    return 0;
  }
  // Returns how many bytes of the block are consumed if the next box begins at `target`.
  std::size_t advance_to(std::uint64_t target) {
    need(shortest_header);
    const auto used = static_cast<std::size_t>(target - position_);
    position_ = target;
    return used;
  }
  // A box may be longer than the rest of the input.
  std::size_t skip_to(std::uint64_t target) {
    need(shortest_header);
    skip(target - position_);
    position_ = target;
    return 0;
  }
  std::size_t give_up() {
    stop(state::unmeasurable);
    return 0;
  }

  movie& movie_;
  box_path path_;
  std::uint64_t position_ = 0;  // position of the next byte that parse() receives
  std::uint64_t entries_left_ = 0, table_end_ = 0;
  std::size_t entry_size_ = 0;
  bool recognized_ = false;
};

// For each piece, first the boxes are read, then the samples in it. The description of the samples
// comes before them; otherwise the samples are read in the second reading.
class mp4_meter final : public meter {
 public:
  void write(std::string_view piece) override {
    if (reading_ == reading::first) boxes_.write(piece);
    if (!is_given_up()) movie_.read_samples(written_, piece);
    written_ += piece.size();
  }

  void finish() override {
    if (reading_ == reading::first) boxes_.finish();
    movie_.finish_samples();
    finished_ = true;
  }

  bool has_missed_some() const override {
    return reading_ == reading::first && status() == state::measuring && movie_.missed_some();
  }
  bool wants_second_reading() const override { return finished_ && has_missed_some(); }
  void begin_second_reading() override {
    movie_.begin_again();
    reading_ = reading::second;
    finished_ = false;
    written_ = 0;
  }

  std::size_t memory() const override { return movie_.memory(); }

  state status() const override {
    if (is_given_up()) return state::unmeasurable;
    if (movie_.has_audio()) return state::measuring;
    return finished_ ? state::unmeasurable : state::undecided;
  }
  duration measured() const override {
    if (status() != state::measuring) return {};
    // A caller that cannot read the input twice has to trust the index.
    return wants_second_reading() ? std::max(movie_.longest(), movie_.longest_claimed(written_))
                                  : movie_.longest();
  }
  std::string_view container() const override { return boxes_.container(); }
  std::string_view codec() const override { return movie_.codec(); }

 private:
  enum class reading : std::uint8_t { first, second };

  bool is_given_up() const { return boxes_.status() == state::unmeasurable || movie_.is_unclear(); }

  movie movie_;
  box_walker boxes_{movie_};
  std::uint64_t written_ = 0;
  reading reading_ = reading::first;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<meter> make_mp4_meter() {
  return std::make_unique<mp4_meter>();
}

}  // namespace tollgate::routes::meters
