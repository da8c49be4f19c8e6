// A header of the PROXY protocol in any pieces is read as it is whole, and takes no byte of what
// follows it.
#include "proxy/net/proxy_header.hpp"
#include "tests/fuzz/input.hpp"

using tollgate::fuzz::require;
using tollgate::proxy::proxy_header;

namespace {

// Each byte of `cuts` is the length of a piece; the last piece is what is left.
std::size_t read(proxy_header& header, std::string_view bytes, std::string_view cuts) {
  std::size_t taken = 0;
  while (taken < bytes.size() && header.state() == proxy_header::progress::incomplete) {
    const auto size = cuts.empty() ? bytes.size() : static_cast<unsigned char>(cuts.front()) + 1u;
    if (!cuts.empty()) cuts.remove_prefix(1);
    taken += header.take(bytes.substr(taken, size));
  }
  return taken;
}

}  // namespace

// The first bytes are the lengths of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all{reinterpret_cast<const char*>(data), size};
  const auto cuts = all.substr(0, std::min<std::size_t>(8, size));
  const auto bytes = all.substr(cuts.size());
  proxy_header whole, pieces;
  const auto taken = read(whole, bytes, {});
  const auto in_pieces = read(pieces, bytes, cuts);
  require(whole.state() == pieces.state(), "it is complete, or malformed, in both");
  require(whole.client() == pieces.client(), "it names the same client");
  const bool complete = whole.state() == proxy_header::progress::complete;
  if (complete) require(taken == in_pieces, "it ends at the same byte");
  if (complete) {
    proxy_header alone;
    read(alone, bytes.substr(0, taken), {});
    require(alone.state() == proxy_header::progress::complete, "what follows does not matter");
  }
  return 0;
}
