#include "proxy/net/outbound/public_address.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::outbound {
namespace {

bool public_text(const char* text) {
  return is_public(boost::asio::ip::make_address(text));
}

TEST(is_public, takes_what_everybody_reaches) {
  for (const char* address :
       {"1.1.1.1",          "8.8.8.8",
        "9.255.255.255",    "11.0.0.0",
        "100.63.255.255",   "100.128.0.0",
        "126.255.255.255",  "128.0.0.0",
        "169.253.255.255",  "169.255.0.0",
        "172.15.255.255",   "172.32.0.0",
        "191.255.255.255",  "192.0.1.0",
        "192.0.3.0",        "192.167.255.255",
        "192.169.0.0",      "198.17.255.255",
        "198.20.0.0",       "198.51.99.255",
        "198.51.101.0",     "203.0.112.255",
        "203.0.114.0",      "223.255.255.255",  // the addresses next to every refused block
        "2606:4700::1111",  "2001:4860:4860::8888",
        "2001:200::1",      "2a00:1450::1",
        "3ffe::1",          "2001:db7:ffff::1",
        "2001:db9::1",      "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
    EXPECT_TRUE(public_text(address)) << address;
  }
}

TEST(is_public, refuses_everything_inside_or_special) {
  for (const char* address :
       {"0.0.0.0",       "0.255.255.255",   "10.0.0.0",        "10.255.255.255",
        "100.64.0.0",    "100.127.255.255", "127.0.0.1",       "127.255.255.255",
        "168.63.129.16", "169.254.0.0",     "169.254.169.254", "169.254.255.255",
        "172.16.0.0",    "172.31.255.255",  "192.0.0.0",       "192.0.0.170",
        "192.0.2.1",     "192.88.99.1",     "192.168.0.0",     "192.168.255.255",
        "198.18.0.0",    "198.19.255.255",  "198.51.100.1",    "203.0.113.255",
        "224.0.0.1",     "239.255.255.255", "240.0.0.1",       "255.255.255.255"}) {
    EXPECT_FALSE(public_text(address)) << address;
  }
}

TEST(is_public, refuses_the_same_of_ipv6) {
  for (const char* address : {"::",
                              "::1",
                              "::8.8.8.8",
                              "100::1",
                              "1fff::1",
                              "4000::1",
                              "5f00::1",
                              "fc00::1",
                              "fd12:3456::1",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "ff0e::1",
                              "2001::1",
                              "2001:0:808:808::1",
                              "2001:1ff::1",
                              "2001:db8::1",
                              "3fff::1",
                              "3fff:fff::1",
                              "64:ff9b:1::808:808",
                              "64:ff9c::808:808"}) {
    EXPECT_FALSE(public_text(address)) << address;
  }
}

TEST(is_public, looks_inside_of_addresses_that_are_translated) {
  for (const char* address :
       {"::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::ffff:100.64.1.1",
        "64:ff9b::127.0.0.1", "64:ff9b::192.168.1.1", "64:ff9b::169.254.169.254",
        "2002:7f00:1::", "2002:c0a8:101::1", "2002:a9fe:a9fe::1"}) {
    EXPECT_FALSE(public_text(address)) << address;
  }
}

}  // namespace
}  // namespace tollgate::proxy::outbound
