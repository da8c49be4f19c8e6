#include "config/network.hpp"

#include <algorithm>

#include <arpa/inet.h>

#include "config/units.hpp"

namespace tollgate::config {
namespace {

constexpr int v4_prefix = 96;  // of a mapped address

bool is_set(std::span<const std::uint8_t, 16> bytes, int bit) {
  return (bytes[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0;
}

// The bits before the address itself: 96 for IPv4.
std::optional<int> parse_address(const std::string& text, network& out) {
  if (inet_pton(AF_INET6, text.c_str(), out.address.data()) == 1) return 0;
  out.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (inet_pton(AF_INET, text.c_str(), out.address.data() + v4_prefix / 8) == 1) return v4_prefix;
  return {};
}

}  // namespace

std::optional<network> parse_network(const std::string& text) {
  network out;
  const auto slash = text.find('/');
  const auto before = parse_address(text.substr(0, slash), out);
  if (!before) return {};
  if (slash != std::string::npos) {
    const auto bits = parse_whole(text.substr(slash + 1));
    if (!bits || *bits > static_cast<std::uint64_t>(128 - *before)) return {};
    out.bits = *before + static_cast<int>(*bits);
  }
  for (int bit = out.bits; bit < 128; ++bit) {
    if (is_set(out.address, bit)) return {};
  }
  return out;
}

bool contains(const network& all, std::span<const std::uint8_t, 16> address) {
  const auto whole = static_cast<std::size_t>(all.bits / 8);
  if (!std::equal(address.begin(), address.begin() + whole, all.address.begin())) return false;
  for (int bit = all.bits / 8 * 8; bit < all.bits; ++bit) {
    if (is_set(address, bit) != is_set(all.address, bit)) return false;
  }
  return true;
}

}  // namespace tollgate::config
