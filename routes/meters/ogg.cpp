#include "routes/meters/ogg.hpp"

#include <utility>
#include <vector>

#include "routes/meters/block_meter.hpp"
#include "routes/meters/ogg_stream.hpp"

namespace tollgate::routes::meters {
namespace {

// A page that opens a stream is accepted only with a correct CRC if it is no longer than this. Real
// ones never are longer.
constexpr std::size_t most_opening_bytes = 1024;

// Decoders skip a page that is truncated or has a wrong checksum; the next page may then begin in
// what seemed to be its body. A caller may build such pages to hide real ones. Pages are not
// buffered, so both readings count: every capture pattern is taken for the start of a page, and the
// page it interrupts counts as if its remaining packets had the maximum duration. By chance the
// pattern occurs once in a terabyte.
class ogg_meter final : public block_meter<most_opening_bytes> {
 public:
  void finish() override {
    if (status() == state::unmeasurable) return;
    // The remaining bytes may look like the start of a capture pattern.
    if (body_left_ > 0 && incomplete().size() >= body_left_) {
      is_genuine_ = true;
      parse_body(incomplete());
    }
    for (auto& each : streams_) each.stream.finish();
    if (status() == state::undecided) stop(state::unmeasurable);
  }

  duration measured() const override { return played(); }
  std::string_view container() const override { return status() == state::measuring ? "ogg" : ""; }
  std::string_view codec() const override { return codec_; }

 private:
  // A stream and its start time in the whole file.
  struct placed_stream {
    ogg_stream stream;
    duration begin;
    duration end() const { return begin + stream.measured(); }
  };
  static constexpr std::size_t most_streams = 64;
  // No decoder searches further for the first page (ffmpeg's MAX_PAGE_SIZE).
  static constexpr std::uint64_t most_garbage = 65'307;

  std::size_t parse(std::string_view block) override;
  std::size_t skip_garbage(std::size_t bytes);
  std::size_t parse_header(std::string_view block);
  std::size_t parse_opening(std::string_view block, std::size_t header_bytes);
  std::size_t parse_body(std::string_view block);
  std::size_t walk(std::string_view bytes);

  placed_stream* find(std::uint32_t serial);
  void open(std::string_view body);
  bool make_room();
  void forget(placed_stream* old);
  duration played() const;

  void begin_page(placed_stream* owner);
  void next_packet();
  void end_page();
  void interrupt_page();

  std::vector<placed_stream> streams_;  // the newest last
  duration forgotten_;                  // the end of the last stream that was forgotten
  duration link_begin_;                 // the start of streams that are opened now
  bool link_has_data_ = false;          // the next stream to be opened begins after these
  bool forgot_streams_ = false;         // to make space for others
  bool was_interrupted_ = false;
  std::string_view codec_;

  ogg_page page_;
  ogg_stream* stream_ = nullptr;  // the stream of this page; null if it is not audio
  ogg_page::packet packet_{0, false};
  std::size_t body_left_ = 0;
  bool expects_head_ = false;
  bool is_genuine_ = false;
  std::uint64_t garbage_ = 0;
};

std::size_t ogg_meter::parse(std::string_view block) {
  need(1);
  if (body_left_ > 0) return parse_body(block);
  if (const auto at = find_ogg_capture(block); at > 0) return skip_garbage(at);
  if (block.size() < ogg_page::fixed_bytes) {
    need(ogg_page::fixed_bytes);
    return 0;
  }
  return parse_header(block);
}

std::size_t ogg_meter::skip_garbage(std::size_t bytes) {
  garbage_ += bytes;
  if (status() == state::undecided && garbage_ > most_garbage) stop(state::unmeasurable);
  return bytes;
}

std::size_t ogg_meter::parse_header(std::string_view block) {
  const auto header_bytes = ogg_page::header_bytes(block);
  if (block.size() < header_bytes) {
    need(header_bytes);
    return 0;
  }
  page_ = ogg_page{block};
  auto* owner = find(page_.serial());
  const bool may_open = owner == nullptr || page_.begins_stream();
  if (may_open && header_bytes + page_.body_bytes() <= most_opening_bytes)
    return parse_opening(block, header_bytes);

  constexpr auto overhang = ogg_capture.size() - 1;
  const auto inner = 1 + find_ogg_capture(block.substr(1, header_bytes - 1 + overhang));
  if (inner < header_bytes) {
    if (block.size() - inner < ogg_capture.size()) {
      need(block.size() + 1);
      return 0;
    }
    begin_page(owner);
    interrupt_page();
    return inner;
  }
  if (owner == nullptr) {
    // Examines exactly this many bytes, even if more are available: the result must not depend on
    // that.
    constexpr auto head_bytes = most_opening_bytes;
    if (block.size() < head_bytes) {
      need(head_bytes);
      return 0;
    }
    open(block.substr(header_bytes, head_bytes - header_bytes));
  }
  is_genuine_ = false;
  begin_page(find(page_.serial()));
  return header_bytes;
}

// A page of an unknown stream, or of one that begins again. It is small enough to be buffered.
std::size_t ogg_meter::parse_opening(std::string_view block, std::size_t header_bytes) {
  const auto page_bytes = header_bytes + page_.body_bytes();
  if (block.size() < page_bytes) {
    need(page_bytes);
    return 0;
  }
  is_genuine_ = has_right_crc(block.substr(0, page_bytes));
  if (!is_genuine_) return 1;
  open(block.substr(header_bytes, page_.body_bytes()));
  begin_page(find(page_.serial()));
  return header_bytes;
}

std::size_t ogg_meter::parse_body(std::string_view block) {
  const auto at_hand = std::min(block.size(), body_left_);
  const auto clear = is_genuine_ ? at_hand : std::min(at_hand, find_ogg_capture(block));
  const auto used = stream_ == nullptr ? clear : walk(block.substr(0, clear));
  body_left_ -= used;
  if (body_left_ == 0) {
    end_page();
    return used;
  }
  const bool is_interrupted = clear < at_hand && block.size() - clear >= ogg_capture.size();
  if (is_interrupted) {
    interrupt_page();
    return clear > 0 ? clear : parse(block);
  }
  need(block.size() - used + 1);
  return used;
}

// Returns how many of these bytes of the body were read: all, except an incomplete head of a
// packet.
std::size_t ogg_meter::walk(std::string_view bytes) {
  const auto all = bytes.size();
  for (;;) {
    if (expects_head_) {
      const auto head_bytes = std::min(stream_->codec().head_bytes(), packet_.bytes);
      if (bytes.size() < head_bytes) break;
      stream_->begin_packet(bytes.substr(0, head_bytes), packet_.bytes);
      expects_head_ = false;
    }
    const auto piece = bytes.substr(0, packet_.bytes);
    stream_->body(piece);
    bytes.remove_prefix(piece.size());
    packet_.bytes -= piece.size();
    if (packet_.bytes > 0) break;
    if (packet_.ends) stream_->end_packet();
    if (!page_.has_packet()) break;
    next_packet();
  }
  return all - bytes.size();
}

void ogg_meter::begin_page(placed_stream* owner) {
  if (!page_.begins_stream()) link_has_data_ = true;
  if (owner == nullptr && forgot_streams_ && !page_.begins_stream()) stop(state::unmeasurable);
  stream_ = owner == nullptr ? nullptr : &owner->stream;
  body_left_ = page_.body_bytes();
  if (stream_ != nullptr) {
    stream_->begin_page(page_);
    next_packet();
    if (page_.continues_packet()) expects_head_ = false;
  }
  if (body_left_ == 0) {
    if (stream_ != nullptr) walk({});
    end_page();
  }
}

void ogg_meter::next_packet() {
  expects_head_ = page_.has_packet();
  packet_ = page_.next_packet();
}

void ogg_meter::end_page() {
  if (stream_ != nullptr) stream_->end_page(page_);
  stream_ = nullptr;
}

void ogg_meter::interrupt_page() {
  was_interrupted_ = true;
  if (stream_ != nullptr) stream_->lose_packets(page_.most_packets_left() + 1);
  body_left_ = 0;
  end_page();
}

ogg_meter::placed_stream* ogg_meter::find(std::uint32_t serial) {
  const auto found = std::find_if(streams_.rbegin(), streams_.rend(), [serial](const auto& each) {
    return each.stream.serial() == serial;
  });
  return found == streams_.rend() ? nullptr : &*found;
}

// RFC 3533, section 4: concurrent streams all begin before any of them has data.
void ogg_meter::open(std::string_view body) {
  if (page_.continues_packet()) {
    // Decoders skip the rest of a packet whose start they have not seen, and continue after it.
    if (ogg_stream::names_audio(body)) stop(state::unmeasurable);
    return;
  }
  const auto serial = page_.serial();
  auto opened = ogg_stream::open(serial, body.substr(0, ogg_page{page_}.next_packet().bytes));
  // Decoders may play unknown or broken streams.
  if (!opened && ogg_stream::names_audio(body)) stop(state::unmeasurable);
  if (!opened) return;
  if (std::exchange(link_has_data_, false)) link_begin_ = played();
  if (auto* before = find(serial)) {
    // If the previous page was not genuine, this one may not be either. Then the stream's codec is
    // uncertain, except when both are Opus.
    const auto name = opened->codec().name();
    const bool goes_on_alike = name == "opus" && before->stream.codec().name() == name;
    if (was_interrupted_ && !goes_on_alike) return stop(state::unmeasurable);
    opened->play_delay();
    forget(before);
  } else if (streams_.size() == most_streams && !make_room()) {
    return stop(state::unmeasurable);
  }
  if (codec_.empty()) codec_ = opened->codec().name();
  set_status(state::measuring);
  streams_.push_back({std::move(*opened), link_begin_});
}

// Forgets a stream that has ended, or one that other streams have followed: truncated files have no
// end marks.
bool ogg_meter::make_room() {
  const auto is_over = [this](const auto& each) {
    return each.stream.has_ended() || each.begin != link_begin_;
  };
  const auto found = std::find_if(streams_.begin(), streams_.end(), is_over);
  if (found == streams_.end()) return false;
  forget(&*found);
  forgot_streams_ = true;
  return true;
}

void ogg_meter::forget(placed_stream* old) {
  old->stream.finish();
  forgotten_ = std::max(forgotten_, old->end());
  streams_.erase(streams_.begin() + (old - streams_.data()));
}

duration ogg_meter::played() const {
  auto end = forgotten_;
  for (const auto& each : streams_) end = std::max(end, each.end());
  return end;
}

}  // namespace

std::unique_ptr<meter> make_ogg_meter() {
  return std::make_unique<ogg_meter>();
}

}  // namespace tollgate::routes::meters
