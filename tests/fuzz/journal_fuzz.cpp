// Any bytes are read as records that can be written again, or named as damage.
#include "proxy/gateway/journal/record.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate::proxy::journal;
using tollgate::fuzz::require;

namespace {

void check(const record& each) {
  std::string buffer;
  const auto frame = std::visit([&](const auto& what) { return encode(what, buffer); }, each);
  require(!frame.empty(), "what was read can be written");
  const auto again = encode(segment_header{1, 0, 0}) + std::string{frame};
  std::size_t records = 0;
  const auto content = read_segment(again, [&](record&& read) {
    ++records;
    require(read.index() == each.index(), "and is read as what it was");
  });
  require(records == 1 && content.damaged.empty() && !content.torn_at, "whole");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  read_segment(bytes, [](record&& each) { check(each); });
  // Behind a header that is right, where most of what is tried would not get.
  const auto content = read_segment(encode(segment_header{1, 0, 0}) + std::string{bytes},
                                    [](record&& each) { check(each); });
  require(content.header.has_value(), "the header is read");
  for (const auto& each : content.damaged)
    require(each.offset <= size + header_size, "damage is in the file");
  return 0;
}
