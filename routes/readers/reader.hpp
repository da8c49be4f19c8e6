// Where the audio stands in a body. A reader takes the bytes of a body in any slices and passes the
// bytes of the audio on, as they come:
//
//     content_decoder ─► multipart, json_base64, event_stream or whole_body ─► into_meter
//
// Its memory is constant and it never throws. What two readers of the same body could read in two
// ways is a fault and not a guess: who pays by the second would show the short audio to us and have
// the long one read upstream.
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
  // The input has ended, where it should or not. Nothing is written after it.
  virtual void finish() = 0;
};

enum class fault : std::uint8_t {
  none,
  malformed,        // not what its content type says
  truncated,        // ends before it is complete
  missing,          // complete, and no audio where it should be
  ambiguous,        // more than one thing that could be the audio, or that could be read otherwise
  unsupported,      // an encoding that is not known here
  expands_too_far,  // compressed beyond what is allowed
};
std::string_view to_string(fault which);

// The first fault is final: nothing is passed on after it. What was passed on before stays so.
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
  // Before finish(), `none` says nothing yet about what is still to come.
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

// The body as it is.
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
