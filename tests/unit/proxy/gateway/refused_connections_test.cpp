// What a client is told that comes when there are too many connections.
#include "proxy/gateway/refused_connections.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;

class a_refused_connection : public testing::Test {
 protected:
  using socket = asio::ip::tcp::socket;

  socket refuse(std::size_t most = 1) {
    socket client{context};
    client.connect(acceptor.local_endpoint());
    tcp_socket accepted{context.get_executor()};
    acceptor.accept(accepted);
    refused.refuse(std::move(accepted), deadlines, "req-1", most);
    return client;
  }
  void run() {
    context.restart();
    context.poll();
  }
  static std::string answer(socket& client) {
    std::string got;
    error_code ec;
    asio::read(client, asio::dynamic_buffer(got), ec);
    return ec == asio::error::eof ? got : ec.message();
  }

  asio::io_context context;
  asio::ip::tcp::acceptor acceptor{context, {asio::ip::make_address("127.0.0.1"), 0}};
  const steady_time started{1h};
  deadline_list deadlines{started};
  refused_connections refused;
};

TEST_F(a_refused_connection, is_answered) {
  auto client = refuse();
  const auto got = answer(client);
  EXPECT_TRUE(got.starts_with("HTTP/1.1 503")) << got;
  EXPECT_NE(got.find("X-Request-Id: req-1\r\n"), std::string::npos) << got;
  EXPECT_NE(got.find("Retry-After: 1\r\n"), std::string::npos) << got;
  client.close();
  run();
  EXPECT_EQ(refused.size(), 0U);
}

TEST_F(a_refused_connection, is_answered_although_its_request_comes_in_pieces) {
  auto client = refuse();
  for (int i = 0; i < 20; ++i) {
    asio::write(client, asio::buffer(std::string(10'000, 'x')));
    run();
  }
  const auto got = answer(client);
  EXPECT_TRUE(got.starts_with("HTTP/1.1 503")) << got;
  EXPECT_EQ(refused.size(), 1U);
}

TEST_F(a_refused_connection, is_not_read_for_long) {
  auto client = refuse();
  deadlines.tick(started + refused_connections::longest / 2);
  run();
  EXPECT_EQ(refused.size(), 1U);
  deadlines.tick(started + refused_connections::longest * 2);
  run();
  EXPECT_EQ(refused.size(), 0U);
}

TEST_F(a_refused_connection, makes_room_for_the_next_one) {
  auto first = refuse(2), second = refuse(2), third = refuse(2);
  run();
  EXPECT_EQ(refused.size(), 2U);
  EXPECT_TRUE(answer(first).starts_with("HTTP/1.1 503"));  // it had sent nothing
  refused.close_all();
  run();
  EXPECT_EQ(refused.size(), 0U);
}

}  // namespace
}  // namespace tollgate::proxy
