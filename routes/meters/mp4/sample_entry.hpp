// A track's description of its codec (ISO/IEC 14496-12, 12.2.3; QuickTime File Format, "Sound
// Sample Descriptions").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "routes/meters/flac_frame.hpp"
#include "routes/meters/mp4/audio_specific_config.hpp"
#include "routes/meters/mp4/bytes.hpp"
#include "routes/meters/mp4/sample_codecs.hpp"
#include "routes/meters/mp4/sample_index.hpp"

namespace tollgate::routes::meters::mp4 {

class sample_description {
 public:
  sample_description() = default;
  // `head` is the content of the entry, `stsd_version` the version of the box around it.
  sample_description(fourcc format, std::string_view head, unsigned stsd_version);

  // Receives a box in the entry that configures the decoder: esds, dfLa, alac.
  void configure(fourcc box, std::string_view content);

  // Empty if this is not a known audio codec.
  std::string_view codec() const { return codec_; }
  // Null if the codec, or the way it is used, cannot be counted by its bytes.
  std::unique_ptr<packet_codec> make_codec() const;
  // PCM and similar: how much a chunk contains.
  std::optional<packing> whole_chunks() const;
  std::uint64_t head_size() const { return head_size_; }

  static constexpr std::size_t longest_head = 28 + 36;
  // Only this many bytes of a configuration are read.
  static constexpr std::size_t longest_config = 512;

 private:
  enum class kind : std::uint8_t {
    none,
    pieces,
    aac,
    layers,
    opus,
    flac,
    alac,
    amr,
    amr_wide,
    ac3
  };
  struct fields {
    std::uint64_t channels = 0, bits = 0;
    std::uint32_t rate = 0;
    std::uint64_t samples_a_packet = 0, bytes_a_frame = 0;  // of QuickTime's versions 1 and 2
    bool is_fixed = false;  // all readers know these values, and not all writers write them
  };
  static fields read_fields(std::string_view head, unsigned version);
  void describe(fourcc format, const fields& of);
  void describe_pcm(std::string_view codec, std::uint64_t bits, const fields& of);
  void describe_pieces(std::string_view codec, piece_packets::piece one, const fields& of);
  void read_esds(std::string_view content);
  void read_flac(std::string_view content);
  void read_alac(std::string_view content);

  kind kind_ = kind::none;
  std::string_view codec_;
  std::uint64_t head_size_ = 0;
  piece_packets::piece piece_;
  std::uint32_t rate_ = 0, frame_samples_ = 0;
  aac_config aac_;
  flac_format flac_;
  unsigned configurations_ = 0;
};

}  // namespace tollgate::routes::meters::mp4
