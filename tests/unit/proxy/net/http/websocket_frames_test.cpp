// Where frames of a WebSocket end, whatever pieces they come in.
#include "proxy/net/http/websocket_frames.hpp"

#include <random>

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

std::string frame(std::size_t payload, bool masked = false) {
  std::string out{'\x82'};
  const char mask_bit = masked ? '\x80' : '\0';
  const auto number = [&](int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(payload >> (8 * i)));
  };
  if (payload < 126) {
    out.push_back(static_cast<char>(payload | static_cast<unsigned char>(mask_bit)));
  } else if (payload < 65536) {
    out.push_back(static_cast<char>(126 | static_cast<unsigned char>(mask_bit)));
    number(2);
  } else {
    out.push_back(static_cast<char>(127 | static_cast<unsigned char>(mask_bit)));
    number(8);
  }
  if (masked) out.append("mask");
  return out.append(payload, 'x');
}

TEST(websocket_frames, end_where_their_length_says) {
  for (const bool masked : {false, true}) {
    for (const std::size_t payload : {0, 1, 125, 126, 300, 65535, 65536, 70000}) {
      const auto one = frame(payload, masked);
      websocket_frames frames;
      EXPECT_TRUE(frames.is_between_frames());
      frames.pass(std::string_view{one}.substr(0, one.size() - 1));
      EXPECT_FALSE(frames.is_between_frames()) << payload;
      EXPECT_EQ(frames.rest_of_frame(one.substr(one.size() - 1) + one), 1U) << payload;
      frames.pass(std::string_view{one}.substr(one.size() - 1));
      EXPECT_TRUE(frames.is_between_frames()) << payload;
      EXPECT_EQ(frames.rest_of_frame(one), 0U);
    }
  }
}

TEST(websocket_frames, are_followed_in_pieces_of_any_size) {
  std::mt19937 random{7};
  for (int round = 0; round < 200; ++round) {
    std::string all;
    std::vector<bool> is_end(1, true);
    for (int i = 0; i < 5; ++i) {
      const auto one =
          frame(random() % 3 == 0 ? random() % 70000 : random() % 200, random() % 2 == 0);
      all += one;
      is_end.resize(all.size() + 1);
      is_end.back() = true;
    }
    websocket_frames frames;
    for (std::size_t at = 0; at < all.size();) {
      const auto n = std::min<std::size_t>(1 + random() % 5000, all.size() - at);
      const auto rest = frames.rest_of_frame(std::string_view{all}.substr(at));
      EXPECT_TRUE(is_end[at + rest]) << "round " << round;
      frames.pass(std::string_view{all}.substr(at, n));
      at += n;
      EXPECT_EQ(frames.is_between_frames(), is_end[at]) << "round " << round;
    }
  }
}

TEST(websocket_frames, have_one_that_closes) {
  EXPECT_EQ(close_frame(1008, "why"), std::string("\x88\x05\x03\xF0why", 7));
}

}  // namespace
}  // namespace tollgate::proxy
