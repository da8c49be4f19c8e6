// A form in any pieces is read alike, and no boundary ends up in the audio.
#include <memory>

#include "routes/readers/multipart.hpp"
#include "tests/fuzz/reader_outcome.hpp"

using namespace tollgate::routes::readers;
using namespace tollgate::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tollgate::fuzz::input in{data, size};
  const auto boundary = boundary_of(in.line());
  const auto read = read_body(
      [&](sink& to) {
        return std::make_unique<multipart>(boundary, multipart_settings{"file", {"model"}}, to);
      },
      in.rest());
  require(boundary || read.problem == fault::malformed, "without a boundary there is no form");
  if (read.problem == fault::none)
    require(("\n" + read.bytes).find("\n--" + *boundary) == std::string::npos,
            "audio has no boundary");
  return 0;
}
