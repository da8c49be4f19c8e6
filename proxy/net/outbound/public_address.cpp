#include "proxy/net/outbound/public_address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tollgate::proxy::outbound {

namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct block {
  std::uint32_t first;
  int bits;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c = 0,
                           std::uint32_t d = 0) {
  return a << 24 | b << 16 | c << 8 | d;
}

// IANA's registry of special-purpose addresses, without the globally reachable ones; and one that
// looks public and is not.
constexpr std::array not_public{
    block{v4(0, 0), 8},               // this network
    block{v4(10, 0), 8},              // private
    block{v4(100, 64), 10},           // shared: between a carrier and its customers
    block{v4(127, 0), 8},             // loopback
    block{v4(169, 254), 16},          // link-local; also the clouds' metadata services
    block{v4(168, 63, 129, 16), 32},  // services that Azure runs beside every machine
    block{v4(172, 16), 12},           // private
    block{v4(192, 0, 0), 24},         // protocol assignments
    block{v4(192, 0, 2), 24},         // documentation
    block{v4(192, 88, 99), 24},       // 6to4 relays
    block{v4(192, 168), 16},          // private
    block{v4(198, 18), 15},           // benchmarks
    block{v4(198, 51, 100), 24},      // documentation
    block{v4(203, 0, 113), 24},       // documentation
    block{v4(224, 0), 4},             // multicast
    block{v4(240, 0), 4},             // reserved, and broadcast
};

bool is_public_v4(std::uint32_t address) {
  return std::none_of(not_public.begin(), not_public.end(), [&](const block& each) {
    return (address ^ each.first) >> (32 - each.bits) == 0;
  });
}

template <std::size_t N>
bool begins_with(const address_v6::bytes_type& bytes, const std::array<int, N>& prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

std::uint32_t v4_at(const address_v6::bytes_type& bytes, std::size_t place) {
  return std::uint32_t{bytes[place]} << 24 | std::uint32_t{bytes[place + 1]} << 16 |
         std::uint32_t{bytes[place + 2]} << 8 | bytes[place + 3];
}

bool is_public_v6(const address_v6::bytes_type& bytes) {
  constexpr std::array mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array nat64{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
  constexpr std::array six_to_four{0x20, 0x02};
  if (begins_with(bytes, mapped) || begins_with(bytes, nat64)) {
    return is_public_v4(v4_at(bytes, 12));
  }
  if (begins_with(bytes, six_to_four)) return is_public_v4(v4_at(bytes, 2));
  if (bytes[0] >> 5 != 1) return false;  // 2000::/3 is the only global unicast block
  const bool protocols = bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 2;  // 2001::/23
  constexpr std::array documentation{0x20, 0x01, 0x0d, 0xb8};
  const bool more_documentation = bytes[0] == 0x3f && bytes[1] == 0xff && bytes[2] < 0x10;
  return !protocols && !begins_with(bytes, documentation) && !more_documentation;
}

}  // namespace

bool is_public(const boost::asio::ip::address& address) {
  if (address.is_v4()) return is_public_v4(address.to_v4().to_uint());
  return is_public_v6(address.to_v6().to_bytes());
}

}  // namespace tollgate::proxy::outbound
