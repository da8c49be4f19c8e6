#include "routes/meters/program_stream.hpp"
#include "tests/fuzz/meter_splits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tollgate::fuzz::compare_splits(tollgate::routes::meters::make_program_stream_meter,
                                 tollgate::fuzz::input{data, size}.rest());
  return 0;
}
