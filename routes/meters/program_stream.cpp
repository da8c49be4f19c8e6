#include "routes/meters/program_stream.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "routes/meters/block_meter.hpp"
#include "routes/meters/bytes.hpp"
#include "routes/meters/format_signs.hpp"
#include "routes/meters/mpeg_packets.hpp"

namespace tollgate::routes::meters {
namespace {

// The byte after 00 00 01.
enum code : std::uint8_t {
  end_of_stream = 0xB9,
  pack = 0xBA,
  system_header = 0xBB,
  padding_stream = 0xBE,
  first_audio = 0xC0,
  last_audio = 0xDF,
  first_video = 0xE0,
  last_video = 0xEF
};

// The longest packet header that is read whole: MPEG-1's, with 16 bytes of stuffing.
constexpr std::size_t most_header_bytes = 6 + 16 + 2 + 10;

// The length of the rest of a packet's header after its length field; `rest` begins there. Empty if
// it is not a header, or the packet is scrambled.
std::optional<std::size_t> packet_header_bytes(std::string_view rest) {
  constexpr std::size_t flags = 3, most_extension = 64;
  if (rest.size() >= flags && (byte_at(rest, 0) & 0xC0) == 0x80) {
    const auto extension = byte_at(rest, 2);
    const bool plain = (byte_at(rest, 0) & 0x30) == 0 && extension <= most_extension;
    return plain ? std::optional{flags + extension} : std::nullopt;
  }
  // MPEG-1: stuffing, a buffer size, then no, one or two timestamps.
  auto at = std::min(rest.find_first_not_of('\xFF'), rest.size());
  if (at < rest.size() && (byte_at(rest, at) & 0xC0) == 0x40) at += 2;
  if (at >= rest.size()) return {};
  const auto times = byte_at(rest, at);
  if ((times & 0xF0) == 0x20) return at + 5;
  if ((times & 0xF0) == 0x30) return at + 10;
  return times == 0x0F ? std::optional{at + 1} : std::nullopt;
}

// Accepts a strict profile, as muxers write it: packs, one or more system headers, and packets,
// with nothing in between. On anything else decoders search for the next start code, play whichever
// audio stream they prefer, guess the type of video streams, and take some private streams for
// signs of other formats. So any deviation makes a file unmeasurable. Frames are counted by their
// own bytes and must be adjacent in the audio stream.
class program_stream_meter final : public block_meter<most_header_bytes> {
 public:
  program_stream_meter() { audio_.begin({}, 0); }

  void finish() override {
    if (status() == state::undecided) stop(state::unmeasurable);
  }
  duration measured() const override { return status() == state::measuring ? played_ : duration{}; }
  std::string_view container() const override { return "mpeg"; }
  std::string_view codec() const override {
    return status() == state::measuring ? "mpeg audio" : "";
  }

 private:
  enum class content : std::uint8_t { audio, video, padding };

  std::size_t parse(std::string_view block) override;
  std::size_t parse_content(std::string_view block);
  std::size_t parse_start(std::string_view block);
  std::size_t parse_pack(std::string_view block);
  std::size_t parse_system(std::string_view block);
  std::size_t parse_packet(std::string_view block);
  bool is_the_stream(std::uint8_t stream);
  void take(std::string_view piece);

  std::size_t ask_for(std::size_t bytes) {
    need(bytes);
    return 0;
  }
  std::size_t give_up() {
    stop(state::unmeasurable);
    return 0;
  }

  content content_ = content::padding;
  std::uint64_t left_ = 0;  // bytes left of it
  bool in_content_begun_ = false, has_ended_ = false;
  unsigned packs_ = 0, systems_ = 0;
  std::uint8_t audio_stream_ = 0, video_stream_ = 0;  // 0: none yet

  mpeg_packets audio_{'2'};
  duration played_;
  std::size_t video_bytes_ = 0;  // how many of the first four
  format_signs in_video_{format_signs::of::pictures, std::numeric_limits<std::uint64_t>::max()};
};

std::size_t program_stream_meter::parse(std::string_view block) {
  need(1);
  if (left_ > 0) return parse_content(block);
  if (has_ended_) return give_up();
  return parse_start(block);
}

std::size_t program_stream_meter::parse_content(std::string_view block) {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, block.size()));
  take(block.substr(0, n));
  left_ -= n;
  return n;
}

std::size_t program_stream_meter::parse_start(std::string_view block) {
  constexpr std::size_t start_code = 4;
  if (block.size() < start_code) return ask_for(start_code);
  if (big_endian(block.substr(0, 3)) != 1) return give_up();
  const auto code = byte_at(block, 3);
  // Readers that examine all formats recognize a program stream by the first two.
  const bool in_order = packs_ == 0 ? code == pack : systems_ > 0 || code == system_header;
  if (!in_order) return give_up();
  if (code == pack) return parse_pack(block);
  if (code == system_header) return parse_system(block);
  if (code == padding_stream || (code >= first_audio && code <= last_video))
    return parse_packet(block);
  has_ended_ = code == end_of_stream;
  return has_ended_ ? start_code : give_up();
}

// With a clock; in MPEG-2 up to seven stuffing bytes follow.
std::size_t program_stream_meter::parse_pack(std::string_view block) {
  constexpr std::size_t of_mpeg1 = 12, of_mpeg2 = 14;
  if (block.size() < of_mpeg1) return ask_for(of_mpeg1);
  ++packs_;
  if ((byte_at(block, 4) & 0xF0) == 0x20) return of_mpeg1;
  if ((byte_at(block, 4) & 0xC0) != 0x40) return give_up();
  if (block.size() < of_mpeg2) {
    --packs_;
    return ask_for(of_mpeg2);
  }
  content_ = content::padding;
  in_content_begun_ = true;
  left_ = byte_at(block, 13) & 7;
  return of_mpeg2;
}

// Six bytes, and three per stream.
std::size_t program_stream_meter::parse_system(std::string_view block) {
  constexpr std::size_t most_streams = 8, of_stream = 3, before_streams = 12;
  if (block.size() < before_streams) return ask_for(before_streams);
  const auto size = 6 + static_cast<std::size_t>(big_endian(block.substr(4, 2)));
  const bool plain = size >= before_streams && size <= before_streams + most_streams * of_stream;
  if (!plain || ++systems_ > packs_) return give_up();
  skip(size);
  return 0;
}

std::size_t program_stream_meter::parse_packet(std::string_view block) {
  constexpr std::size_t before_length = 6;
  if (block.size() < before_length) return ask_for(before_length);
  const auto stream = byte_at(block, 3);
  const auto length = static_cast<std::size_t>(big_endian(block.substr(4, 2)));
  in_content_begun_ = false;
  if (stream == padding_stream) {
    content_ = content::padding;
    left_ = length;
    return before_length;
  }
  const auto wanted = std::min(before_length + length, most_header_bytes);
  if (block.size() < wanted) return ask_for(wanted);
  const auto header = packet_header_bytes(block.substr(before_length, wanted - before_length));
  if (!header || *header > length || !is_the_stream(stream)) return give_up();
  content_ = stream <= last_audio ? content::audio : content::video;
  left_ = length - *header;
  skip(before_length + *header);
  return 0;
}

// Allows one audio stream and one video stream.
bool program_stream_meter::is_the_stream(std::uint8_t stream) {
  auto& known = stream <= last_audio ? audio_stream_ : video_stream_;
  if (known == 0) known = stream;
  return known == stream;
}

void program_stream_meter::take(std::string_view piece) {
  switch (content_) {
    case content::padding: {
      // An MPEG-1 stream begins like a packet without timestamps.
      if (!in_content_begun_ && piece.front() == '\x0F') piece.remove_prefix(1);
      in_content_begun_ = true;
      if (piece.find_first_not_of('\xFF') != piece.npos) give_up();
      return;
    }
    case content::audio:
      played_ += audio_.body(piece);
      if (!audio_.reads_bodies())
        give_up();
      else
        set_status(state::measuring);
      return;
    case content::video: {
      // The start of a sequence. With any other start, a decoder guesses the stream's type.
      constexpr std::string_view sequence{"\0\0\1\xB3", 4};
      const auto n = std::min(sequence.size() - video_bytes_, piece.size());
      if (piece.substr(0, n) != sequence.substr(video_bytes_, n)) give_up();
      video_bytes_ += n;
      in_video_.write(piece);
      if (in_video_.found()) give_up();
      return;
    }
  }
}

}  // namespace

std::unique_ptr<meter> make_program_stream_meter() {
  return std::make_unique<program_stream_meter>();
}

}  // namespace tollgate::routes::meters
