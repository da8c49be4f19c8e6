#include "routes/meters/flac.hpp"
#include "tests/fuzz/meter_splits.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tollgate::fuzz::compare_splits(tollgate::routes::meters::make_flac_meter,
                                 tollgate::fuzz::input{data, size}.rest());
  return 0;
}
