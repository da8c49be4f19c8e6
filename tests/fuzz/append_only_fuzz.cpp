// An append-only file read whole and in pieces is whole, or damaged, at the same place.
#include <algorithm>

#include "quota/redis/append_only_parser.hpp"
#include "tests/fuzz/input.hpp"

using tollgate::fuzz::require;
using tollgate::quota::redis::append_only_parser;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data + 1), size - 1};
  append_only_parser whole, split;
  whole.feed(bytes);
  whole.finish();
  auto seed = static_cast<std::uint32_t>(data[0]) + 1;
  for (auto rest = bytes; !rest.empty();) {
    seed = seed * 1'664'525 + 1'013'904'223;
    const auto n = std::min<std::size_t>(rest.size(), 1 + (seed >> 28));
    split.feed(rest.substr(0, n));
    rest.remove_prefix(n);
  }
  split.finish();
  require(whole.damaged().has_value() == split.damaged().has_value(),
          "pieces are damaged as the whole is");
  require(!whole.damaged() || whole.damaged()->offset == split.damaged()->offset,
          "at the same place");
  require(whole.whole() == split.whole() && whole.whole() <= bytes.size(),
          "and whole up to the same");
  append_only_parser again;  // what is cut off leaves nothing to be mended
  again.feed(bytes.substr(0, whole.whole()));
  again.finish();
  require(whole.damaged() || (!again.damaged() && again.whole() == whole.whole()),
          "mended once is mended");
  return 0;
}
