// The PROXY protocol: each header whole, byte by byte, and with every prefix of it.
#include "proxy/net/proxy_header.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::string_literals;
using progress = proxy_header::progress;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

// Version 2: command, family, and a block with its length.
std::string binary(char command, char family, const std::string& block) {
  const auto length = block.size();
  return signature + command + family + static_cast<char>(length / 256) +
         static_cast<char>(length % 256) + block;
}

const std::string v4_block = "\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x34\x01\xbb"s;
const std::string v6_block =
    "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01" + std::string(16, '\0') + "\0\1\0\2"s;

struct outcome {
  progress state = progress::incomplete;
  std::string client;  // empty: none
  std::size_t taken = 0;

  bool operator==(const outcome&) const = default;
};

outcome outcome_of(const proxy_header& header, std::size_t taken) {
  return {header.state(), header.client() ? header.client()->to_string() : "", taken};
}

outcome read_whole(std::string_view bytes) {
  proxy_header header;
  const auto taken = header.take(bytes);
  return outcome_of(header, taken);
}

outcome read_in_pieces(std::string_view bytes, std::size_t size) {
  proxy_header header;
  std::size_t taken = 0;
  while (taken < bytes.size() && header.state() == progress::incomplete) {
    taken += header.take(bytes.substr(taken, size));
  }
  return outcome_of(header, taken);
}

std::string client_of(const std::string& header) {
  const auto whole = read_whole(header + "GET / HTTP/1.1\r\n");
  EXPECT_EQ(whole.state, progress::complete) << testing::PrintToString(header);
  EXPECT_EQ(whole.taken, header.size()) << "what follows is not its own";
  for (std::size_t size : {1, 2, 3, 7}) {
    EXPECT_EQ(read_in_pieces(header + "GET", size), whole) << size;
  }
  for (std::size_t n = 0; n < header.size(); ++n) {
    EXPECT_EQ(read_whole(header.substr(0, n)).state, progress::incomplete) << n;
  }
  return whole.client;
}

TEST(proxy_header, names_the_client_in_text) {
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), "192.0.2.1");
  EXPECT_EQ(client_of("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"), "2001:db8::1");
  EXPECT_EQ(client_of("PROXY UNKNOWN\r\n"), "");
  EXPECT_EQ(client_of("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), "");
}

TEST(proxy_header, names_the_client_in_bytes) {
  EXPECT_EQ(client_of(binary(0x21, 0x11, v4_block)), "192.0.2.1");
  EXPECT_EQ(client_of(binary(0x21, 0x21, v6_block)), "2001:db8::1");
  EXPECT_EQ(client_of(binary(0x21, 0x11, v4_block + "\x04\x00\x02ok"s)), "192.0.2.1");
  EXPECT_EQ(client_of(binary(0x21, 0x00, "")), "");
  EXPECT_EQ(client_of(binary(0x21, 0x31, std::string(216, 'x'))), "");
  EXPECT_EQ(client_of(binary(0x20, 0x00, "")), "") << "a health check of the load balancer";
  EXPECT_EQ(client_of(binary(0x20, 0x11, v4_block)), "");
}

TEST(proxy_header, refuses_everything_else) {
  const std::string wrong[] = {
      "GET / HTTP/1.1\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00"s,  // a TLS handshake
      "PROXY\r\n",
      "PROXY TCP4\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 1\r\n",
      "PROXY TCP4  192.0.2.1 192.0.2.2 56324 443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 56324 65536\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 -1 443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2  443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n",
      "PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
      "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
      "PROXY TCP6 fe80::1%lo ::1 1 2\r\n",
      "PROXY TCP4 192.0.2.300 192.0.2.2 1 2\r\n",
      "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
      "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
      "PROXY UNKNOWN " + std::string(100, 'x') + "\r\n",
      std::string(107, 'P'),
      binary(0x11, 0x11, v4_block),  // version 1 in version 2's form
      binary(0x22, 0x11, v4_block),  // an unknown command
      binary(0x21, 0x12, v4_block),  // UDP
      binary(0x21, 0x41, v4_block),
      binary(0x21, 0x11, v4_block.substr(1)),
      binary(0x21, 0x21, v6_block.substr(1)),
      binary(0x21, 0x31, std::string(215, 'x')),
      binary(0x21, 0x11, v4_block + std::string(4096, 'x')),
      signature.substr(0, 11) + "\r!\x11\0\x0c"s + v4_block,
  };
  for (const auto& each : wrong) {
    EXPECT_EQ(read_whole(each).state, progress::malformed) << testing::PrintToString(each);
    EXPECT_EQ(read_in_pieces(each, 1).state, progress::malformed) << testing::PrintToString(each);
  }
}

}  // namespace
}  // namespace tollgate::proxy
