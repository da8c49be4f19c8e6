// Finds the audio in a body. A reader accepts the body in slices of any size and passes the bytes
// of the audio on as they arrive:
//
//     content_decoder ─► multipart, json_base64, event_stream or whole_body ─► into_meter
//
// Its memory is constant and it never throws. A body that two readers could interpret differently
// is a fault, not a guess: a caller who pays by the second would show the short audio to us and the
// long one to its upstream.
#pragma once

#include <cstdint>
#include <string_view>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::readers {

class sink {
 public:
  virtual ~sink() = default;
  sink() = default;
  sink(const sink&) = delete;
  sink& operator=(const sink&) = delete;

  virtual void write(std::string_view piece) = 0;
  // The input has ended, complete or not. Nothing is written after it.
  virtual void finish() = 0;
};

enum class fault : std::uint8_t {
  none,
  malformed,        // does not match its content type
  truncated,        // ends early
  missing,          // complete, without audio in the expected place
  ambiguous,        // has several candidates for the audio, or another possible reading
  unsupported,      // an unknown encoding
  expands_too_far,  // compressed beyond the allowed ratio
};
std::string_view to_string(fault which);

// The first fault is final: nothing is passed on after it. Bytes passed on before remain valid.
class reader : public sink {
 public:
  explicit reader(sink& target) : target_{target} {}

  void write(std::string_view piece) final {
    if (fault_ == fault::none) read(piece);
  }
  void finish() final {
    if (fault_ == fault::none) read_end();
    target_.finish();
  }
  // Before finish(), `none` does not cover bytes still to come.
  fault problem() const { return fault_; }

 protected:
  virtual void read(std::string_view piece) = 0;
  virtual void read_end() = 0;

  void fail(fault which) {
    if (fault_ == fault::none) fault_ = which;
  }
  bool failed() const { return fault_ != fault::none; }
  sink& target() { return target_; }

 private:
  sink& target_;
  fault fault_ = fault::none;
};

// The unchanged body.
class whole_body final : public reader {
 public:
  using reader::reader;

 private:
  void read(std::string_view piece) override { target().write(piece); }
  void read_end() override {}
};

// The end of every chain.
class into_meter final : public sink {
 public:
  explicit into_meter(meters::meter& meter) : meter_{meter} {}
  void write(std::string_view piece) override { meter_.write(piece); }
  void finish() override { meter_.finish(); }

 private:
  meters::meter& meter_;
};

}  // namespace tollgate::routes::readers
