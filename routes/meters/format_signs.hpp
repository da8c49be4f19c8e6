// Finds signs by which decoders take a stream for another format than the one it starts with.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tollgate::routes::meters {

// ffmpeg lets all its formats examine the start of a file and uses the one with the highest score.
// Some look beyond the first bytes: MXF after anything, IEC 61937, TrueHD and MPEG streams
// anywhere, modules at fixed positions. So a caller could show us a short WAV while its upstream
// plays the rest. A stream with such signs is ambiguous. By chance they appear once in many
// thousand megabytes of noise.
class format_signs {
 public:
  enum class of : std::uint8_t {
    container,  // a format known by its first bytes: search for surer ones
    frames,     // MPEG or ADTS frames, of which ffmpeg is not sure: search for all it could prefer
    samples,    // 16-bit PCM: search for what ffmpeg searches for in it
    iec61937,   // any other PCM of WAV
    program,    // a program stream, of which ffmpeg is not much surer than of frames
    tag,        // an ID3v2 tag, from its first byte, longer than what ffmpeg examines: search for
                // all it could take the tag for
    rest,       // the few bytes after a tag that ffmpeg still sees: it prefers nearly anything to
                // them
    pictures,   // MPEG video: search for what ffmpeg finds in the stream's content
  };
  // Only the first `limit` bytes are examined.
  format_signs(of what, std::uint64_t limit) : what_{what}, limit_{limit} {}

  void write(std::string_view piece);
  bool found() const { return found_; }

 private:
  // Frames that follow each other according to the lengths they state.
  class chain {
   public:
    // Adds a header at `position`. Returns true when there are too many in a row for chance. Up to
    // `between` bytes may separate two frames.
    bool add(std::uint64_t position, std::uint64_t length, std::uint8_t enough = 3,
             std::uint64_t between = 0);

   private:
    struct link {
      std::uint64_t next = 0;
      std::uint8_t frames = 0;
    };
    std::array<link, 64> links_{};
  };

  // How often packets of one length seem to begin at the same offset.
  struct packet_grid {
    std::uint16_t length;
    std::uint64_t window = 0;
    std::array<std::uint8_t, 204> hits{};
  };

  // Consecutive speech frames of AMR or AMR-WB.
  struct amr_chain {
    const std::uint8_t* lengths;
    int modes;
    std::uint64_t next = 0;
    unsigned frames = 0;
    void take(std::uint64_t position, std::uint8_t byte);
  };
  static constexpr std::uint8_t narrow_band[]{13, 14, 16, 18, 20, 21, 27, 32, 6};
  static constexpr std::uint8_t wide_band[]{18, 24, 33, 37, 41, 47, 51, 59, 61, 6};

  void look();
  void look_for_containers();
  void look_for_lossless();
  void look_for_program_stream();
  bool is_packet_of_program_stream() const;
  void look_for_transport_stream();
  void look_for_modules();
  void look_for_speech();
  void look_for_samples();
  void look_for_frames();
  void look_for_adts();
  void look_for_video();
  void look_at_places();
  void look_at_first_frame();
  void look_for_nullsoft();
  void look_for_sound_tracker();
  bool is_of_tag() const { return what_ == of::tag; }
  std::uint8_t enough_of(std::uint8_t usual) const;

  of what_;
  std::uint64_t limit_, at_ = 0;  // bytes seen
  bool found_ = false;
  std::uint64_t word_ = 0, before_ = 0;  // the last eight bytes, and the eight before
  unsigned lossless_ = 0, bursts_ = 0, dts_ = 0, packs_ = 0, systems_ = 0, packets_ = 0,
           pictures_ = 0, no_packets_ = 0;
  chain ac3_, loas_, adts_, mpeg_;
  bool of_mpeg_ = false;
  std::uint64_t begins_ = 0;  // position of the first nonzero byte, counted from 1
  std::array<amr_chain, 2> amr_{{{narrow_band, 9}, {wide_band, 9}}};
  std::uint64_t gsm_ = 0;
  std::uint32_t rate_ = 0;     // from the field where some sample banks have it
  std::uint64_t snds_at_ = 0;  // the position after the last "SNDS"; 0: none
  unsigned digital_video_ = 0;
  // NSV chunks that have begun, with their ends as far as they are known.
  struct nullsoft_chunk {
    std::uint64_t at = 0, end = 0;
  };
  std::array<nullsoft_chunk, 8> nullsoft_{};
  bool is_sound_tracker_ = true, has_samples_ = false;
  bool is_empty_tag_ = false;
  std::array<packet_grid, 3> grids_{{{188}, {192}, {204}}};
};

}  // namespace tollgate::routes::meters
