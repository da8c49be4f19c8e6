// One logical audio stream of an Ogg file.
#pragma once

#include <memory>
#include <optional>

#include "routes/meters/ogg_page.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

// Adds up the packets of a stream page by page. Granule positions are claims, so they never
// lengthen the result; they only shorten the last page, as in decoders.
class ogg_stream {
 public:
  // The stream that this first packet opens; empty if it is not a known audio codec.
  static std::optional<ogg_stream> open(std::uint32_t serial, std::string_view first_packet);
  // Whether the bytes contain a name by which a decoder recognizes an audio codec.
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
  // Packets that could not be read count with the maximum duration.
  void lose_packets(std::size_t packets);
  void end_page(const ogg_page& page);
  void finish() { counted_ += codec_->finish(); }

  // Decoders do not notice that a stream with the same serial number begins again, and play its
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

  duration counted_;   // on all complete pages
  duration delay_;     // the part of it before the first sample played
  duration end_trim_;  // the part of it after the last sample, if no page follows
  std::optional<std::int64_t> last_granule_;

  // The current page.
  duration page_, last_packet_;
  std::optional<duration> unfinished_;  // the current packet, also across pages
};

}  // namespace tollgate::routes::meters
