// Counts the seconds of audio in a stream of bytes, while it passes.
//
// A meter takes any slice of bytes (one or a megabyte) and any split of the same bytes gives the
// same answer. Its memory is constant: nothing is allocated by a number found in the input. It
// never fails: bytes that it does not understand are skipped as a player would, and input that is
// not audio is `unmeasurable`.
#pragma once

#include <memory>
#include <string_view>

#include "routes/meters/duration.hpp"

namespace tollgate::routes::meters {

enum class state : std::uint8_t {
  undecided,     // too few bytes to tell what this is
  measuring,     // audio, and measured() is what has come so far
  unmeasurable,  // not audio, or none that is known here; further bytes change nothing
};

class meter {
 public:
  virtual ~meter() = default;
  meter() = default;
  meter(const meter&) = delete;
  meter& operator=(const meter&) = delete;

  virtual void write(std::string_view piece) = 0;
  // The input has ended, where it should or not. Nothing is written after it.
  virtual void finish() = 0;

  // Audio has passed that could not be read, because its index came after it. True from then on,
  // whatever follows.
  virtual bool has_missed_some() const { return false; }
  // After finish(): the input must be written once more, from its first byte, before measured()
  // counts its content. Until then it returns the container's claim, for callers that trust its
  // writer.
  virtual bool wants_second_reading() const { return false; }
  // Then write() and finish() follow again.
  virtual void begin_second_reading() {}

  virtual state status() const = 0;
  // Whether decoders hear a file of this name as the format found: decoders that are not sure of
  // the content go by the name.
  virtual bool fits_name(std::string_view /*file_name*/) const { return true; }
  // The audio contained in the bytes so far: what a player could play of them. After finish() it is
  // final: encoder delay and end padding that the container declares are then taken off. Before, it
  // may lag behind what was written (an MP4 whose index stands at its end says nothing until it
  // comes).
  virtual duration measured() const = 0;
  // For people: "wav", "mp3", "ogg"; "pcm_s16le", "layer 3", "opus". Static text, empty while
  // unknown. Several streams of different codecs: the first.
  virtual std::string_view container() const = 0;
  virtual std::string_view codec() const = 0;
};

}  // namespace tollgate::routes::meters
