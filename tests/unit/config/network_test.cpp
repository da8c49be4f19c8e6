#include "config/network.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

// IPv4 is mapped, as in a peer's address.
std::array<std::uint8_t, 16> bytes_of(const std::string& text) {
  return parse_network(text).value().address;
}

TEST(network, contains_the_addresses_that_begin_with_its_bits) {
  const auto in = [](const char* all, const char* one) {
    return contains(parse_network(all).value(), bytes_of(one));
  };
  EXPECT_TRUE(in("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(in("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(in("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(in("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(in("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(in("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(in("127.0.0.1", "::ffff:127.0.0.1"));
  EXPECT_TRUE(in("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(in("::/0", "8.8.8.8"));
  EXPECT_TRUE(in("fd00::/8", "fdff::1"));
  EXPECT_FALSE(in("fd00::/8", "fe00::1"));
}

TEST(network, refuses_other_texts) {
  for (const char* wrong : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8",
                            "::/129", "fd00::1/8", "10.0.0.0/-1", "10.0.0.0/8/8", "host", "unix"}) {
    EXPECT_FALSE(parse_network(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace tollgate::config
