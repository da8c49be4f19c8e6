// Counts the seconds of audio in a stream of bytes as it passes.
//
// A meter accepts slices of any size (one byte or a megabyte), and any split of the same bytes
// gives the same answer. Its memory is constant: no number in the input controls an allocation. It
// never fails: it skips bytes that it does not understand, as a player would, and reports input
// that is not audio as `unmeasurable`.
#pragma once

#include <memory>
#include <string_view>

#include "routes/meters/duration.hpp"

namespace tollgate::routes::meters {

enum class state : std::uint8_t {
  undecided,     // too few bytes to decide
  measuring,     // audio; measured() is the duration so far
  unmeasurable,  // not audio, or not in a known format; final
};

class meter {
 public:
  virtual ~meter() = default;
  meter() = default;
  meter(const meter&) = delete;
  meter& operator=(const meter&) = delete;

  virtual void write(std::string_view piece) = 0;
  // The input has ended, complete or not. Nothing is written after it.
  virtual void finish() = 0;

  // Some audio has passed unread because its index came after it. Once true, it stays true.
  virtual bool has_missed_some() const { return false; }
  // After finish(): the input must be written once more, from its first byte, before measured()
  // counts its content. Until then it returns the container's claim, for callers that trust its
  // writer.
  virtual bool wants_second_reading() const { return false; }
  // Then write() and finish() are called again.
  virtual void begin_second_reading() {}

  // The memory that grows with the input, in bytes. Beside it a meter uses a few KiB.
  virtual std::size_t memory() const { return 0; }

  virtual state status() const = 0;
  // Whether it has been `measuring` at any time. Unlike status() between two slices, it does not
  // depend on the split.
  virtual bool has_measured() const { return status() == state::measuring; }
  // Whether decoders read a file of this name in the format found: decoders that are not sure of
  // the content use the name.
  virtual bool fits_name(std::string_view /*file_name*/) const { return true; }
  // The duration of the bytes so far: what a player could play of them. It is final after finish(),
  // which subtracts the encoder delay and end padding that the container declares. Before that it
  // may lag behind the input: an MP4 with its index at the end reports nothing until the index
  // arrives.
  virtual duration measured() const = 0;
  // For messages: "wav", "mp3", "ogg"; "pcm_s16le", "layer 3", "opus". Static text, empty while
  // unknown. For several streams, the codec of the first.
  virtual std::string_view container() const = 0;
  virtual std::string_view codec() const = 0;
};

}  // namespace tollgate::routes::meters
