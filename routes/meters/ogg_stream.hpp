// A logical stream of audio in an Ogg file.
#pragma once

#include <memory>
#include <optional>

#include "routes/meters/ogg_page.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

// Adds up the packets of a stream page by page. Granule positions are claims, so they never say how
// long it is; they can only take the end of the last page off, as decoders let them.
class ogg_stream {
 public:
  // The stream that this first packet opens; nothing if it is not audio that is known here.
  static std::optional<ogg_stream> open(std::uint32_t serial, std::string_view first_packet);
  // Whether the name by which some decoder knows a codec for audio stands in it.
  static bool names_audio(std::string_view packets);

  std::uint32_t serial() const { return serial_; }
  packet_codec& codec() { return *codec_; }
  const packet_codec& codec() const { return *codec_; }
  bool has_ended() const { return has_ended_; }
  duration measured() const { return counted_ - end_trim_ - delay_; }

  void begin_page(const ogg_page& page);
  void begin_packet(std::string_view head, std::uint64_t size) {
    unfinished_ = codec_->begin(head, size);
  }
  void body(std::string_view piece) {
    if (unfinished_ && codec_->reads_bodies()) page_ += codec_->body(piece);
  }
  void end_packet();
  // Packets that cannot be looked at, of which the worst is assumed.
  void lose_packets(std::size_t packets);
  void end_page(const ogg_page& page);
  void finish() { counted_ += codec_->finish(); }

  // Decoders do not notice that a stream of the same serial number has begun again, and play its
  // delay as well.
  void play_delay() { delay_ = {}; }

 private:
  enum class trimming : std::uint8_t { none, last_packet, last_page };

  ogg_stream(std::uint32_t serial, std::unique_ptr<packet_codec> codec, std::uint32_t rate,
             trimming rule)
      : serial_{serial}, rate_{rate}, rule_{rule}, codec_{std::move(codec)} {}
  duration end_trim(std::int64_t granule) const;

  std::uint32_t serial_, rate_;
  trimming rule_;
  bool has_ended_ = false;
  std::unique_ptr<packet_codec> codec_;

  duration counted_;   // on all pages that have come whole
  duration delay_;     // of them, before the first sample that is played
  duration end_trim_;  // of them, behind the last, if no page follows
  std::optional<std::int64_t> last_granule_;

  // The page at hand.
  duration page_, last_packet_;
  std::optional<duration> unfinished_;  // the packet at hand, also from page to page
};

}  // namespace tollgate::routes::meters
