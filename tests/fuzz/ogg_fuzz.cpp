#include "routes/meters/ogg.hpp"
#include "routes/meters/ogg_page.hpp"
#include "tests/fuzz/meter_splits.hpp"

using namespace tollgate::routes::meters;

namespace {

// Pages that open streams are believed only with the right checksum, which no fuzzer finds.
void correct_checksums(std::string& bytes) {
  for (std::size_t at = 0; (at = bytes.find(ogg_capture, at)) != bytes.npos; ++at) {
    const auto rest = std::string_view{bytes}.substr(at);
    if (rest.size() < ogg_page::fixed_bytes || rest.size() < ogg_page::header_bytes(rest)) return;
    const ogg_page page{rest};
    const auto page_bytes = ogg_page::header_bytes(rest) + page.body_bytes();
    if (rest.size() < page_bytes || !page.begins_stream()) continue;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at) + 22, 4, '\0');
    const auto crc = ogg_crc(0, rest.substr(0, page_bytes));
    for (std::size_t i = 0; i < 4; ++i) bytes[at + 22 + i] = static_cast<char>(crc >> 8 * i);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes{tollgate::fuzz::input{data, size}.rest()};
  correct_checksums(bytes);
  tollgate::fuzz::compare_splits(make_ogg_meter, bytes);
  return 0;
}
