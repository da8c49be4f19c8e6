#include "proxy/net/http/byte_buffer.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

constexpr std::size_t limit = 64 * 1024;

void receive(const boost::asio::mutable_buffer& space, byte_buffer& buffer,
             std::string_view bytes) {
  ASSERT_LE(bytes.size(), space.size());
  std::memcpy(space.data(), bytes.data(), bytes.size());
  buffer.commit(bytes.size());
}

void receive(byte_buffer& buffer, std::string_view bytes) {
  receive(buffer.prepare(limit), buffer, bytes);
}

TEST(byte_buffer, gives_back_what_it_received) {
  byte_buffer buffer;
  EXPECT_TRUE(buffer.empty());
  receive(buffer, "abc");
  receive(buffer, "def");
  EXPECT_EQ(buffer.view(), "abcdef");
  buffer.consume(2);
  EXPECT_EQ(buffer.view(), "cdef");
  buffer.consume(4);
  EXPECT_TRUE(buffer.empty());
}

// The client's side reads ahead: bytes received earlier are often consumed while a read is in
// progress.
TEST(byte_buffer, may_be_emptied_while_a_read_is_under_way) {
  byte_buffer buffer;
  receive(buffer, "first request");
  const auto space = buffer.prepare(limit);
  buffer.consume(buffer.size());
  EXPECT_TRUE(buffer.empty());
  receive(space, buffer, "second");
  EXPECT_EQ(buffer.view(), "second");
}

TEST(byte_buffer, may_be_consumed_in_part_while_a_read_is_under_way) {
  byte_buffer buffer;
  receive(buffer, "first request");
  const auto space = buffer.prepare(limit);
  buffer.consume(6);
  receive(space, buffer, ", second");
  EXPECT_EQ(buffer.view(), "request, second");
}

TEST(byte_buffer, a_read_that_brings_nothing_changes_nothing) {
  byte_buffer buffer;
  receive(buffer, "kept");
  buffer.prepare(limit);
  buffer.commit(0);
  EXPECT_EQ(buffer.view(), "kept");
}

TEST(byte_buffer, grows_up_to_its_limit_and_then_offers_nothing) {
  byte_buffer buffer;
  while (buffer.size() < limit) {
    const auto space = buffer.prepare(limit);
    ASSERT_GT(space.size(), 0u);
    receive(space, buffer, std::string(space.size(), 'x'));
  }
  EXPECT_EQ(buffer.size(), limit);
  EXPECT_EQ(buffer.prepare(limit).size(), 0u);
}

TEST(byte_buffer, makes_room_by_moving_before_it_grows) {
  byte_buffer buffer;
  const auto first = buffer.prepare(limit).size();
  receive(buffer, std::string(first, 'x'));
  buffer.consume(first - 1);
  EXPECT_EQ(buffer.prepare(limit).size(), first - 1);
  EXPECT_EQ(buffer.view(), "x");
}

TEST(byte_buffer, takes_what_it_has_beyond_its_first_bytes_from_the_budget) {
  memory_budget budget{2 * (limit - byte_buffer::initial_capacity)};
  {
    byte_buffer buffer{budget};
    receive(buffer, "x");
    EXPECT_EQ(budget.buffers(), 0u);
    buffer.expect_bulk();
    EXPECT_EQ(budget.buffers(), limit - byte_buffer::initial_capacity);
    byte_buffer other{budget};
    other.expect_bulk();  // without room it stays small
    receive(other, std::string(byte_buffer::initial_capacity, 'x'));
    EXPECT_EQ(other.prepare(limit).size(), 0u);
    EXPECT_TRUE(other.is_starved(limit));
    EXPECT_GT(other.prepare_anyway(limit).size(), 0u);
    buffer.consume(1);
    buffer.shrink();
    EXPECT_EQ(budget.buffers(), byte_buffer::initial_capacity);
    EXPECT_GT(buffer.prepare(limit).size(), 0u);
  }
  EXPECT_EQ(budget.buffers(), 0u);
}

TEST(byte_buffer, gives_large_memory_back_when_it_is_empty) {
  byte_buffer buffer;
  buffer.expect_bulk();
  receive(buffer, "x");
  buffer.shrink();
  EXPECT_EQ(buffer.view(), "x");
  buffer.consume(1);
  buffer.shrink();
  EXPECT_EQ(buffer.prepare(limit).size(), byte_buffer::initial_capacity);
}

}  // namespace
}  // namespace tollgate::proxy
