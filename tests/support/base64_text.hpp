// The base64 decoder as a reader, so that the tests of readers can split its input.
#pragma once

#include "routes/readers/base64.hpp"
#include "routes/readers/reader.hpp"

namespace tollgate::tests {

class base64_text final : public routes::readers::reader {
 public:
  using reader::reader;

 private:
  void read(std::string_view piece) override {
    if (!decoder_.write(piece, target())) fail(routes::readers::fault::malformed);
  }
  void read_end() override {
    if (!decoder_.finish(target())) fail(routes::readers::fault::malformed);
  }
  routes::readers::base64_decoder decoder_;
};

}  // namespace tollgate::tests
