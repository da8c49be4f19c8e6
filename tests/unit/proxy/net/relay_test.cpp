#include "proxy/net/relay.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

std::string text(const chunk_frame::buffers& buffers) {
  std::string out;
  for (const auto& each : buffers) out.append(static_cast<const char*>(each.data()), each.size());
  return out;
}

TEST(chunk_frame, puts_a_chunk_around_each_piece) {
  chunk_frame frame{true};
  EXPECT_EQ(text(frame.around("HEAD", "", false, {})), "HEAD");
  EXPECT_EQ(text(frame.around("", "hello", false, {})), "5\r\nhello\r\n");
  EXPECT_EQ(text(frame.around("", std::string(255, 'x'), false, {})),
            "ff\r\n" + std::string(255, 'x') + "\r\n");
}

// An empty chunk would end the body.
TEST(chunk_frame, writes_no_empty_chunk_before_the_end) {
  chunk_frame frame{true};
  EXPECT_EQ(text(frame.around("", "", false, {})), "");
}

TEST(chunk_frame, ends_with_the_last_chunk) {
  chunk_frame frame{true};
  EXPECT_EQ(text(frame.around("HEAD", "hello", true, {})), "HEAD5\r\nhello\r\n0\r\n\r\n");
  EXPECT_EQ(text(frame.around("", "", true, {})), "0\r\n\r\n");
}

TEST(chunk_frame, carries_trailers_that_are_fit) {
  chunk_frame frame{true};
  const header_list trailers{{"X-Sum", "12"}, {"Content-Length", "5"}, {"Authorization", "x"}};
  EXPECT_EQ(text(frame.around("", "a", true, trailers)), "1\r\na\r\n0\r\nX-Sum: 12\r\n\r\n");
  EXPECT_EQ(text(frame.around("", "a", false, trailers)), "1\r\na\r\n");
}

TEST(chunk_frame, leaves_a_body_of_known_length_alone) {
  chunk_frame frame{false};
  EXPECT_EQ(text(frame.around("HEAD", "hello", false, {})), "HEADhello");
  EXPECT_EQ(text(frame.around("", "", true, {{"X-Sum", "12"}})), "");
}

}  // namespace
}  // namespace tollgate::proxy
