// What a transport says about a peer that has gone, over the loopback interface.
#include "proxy/net/transport.hpp"

#include <boost/asio/read.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tollgate::proxy {
namespace {

class a_closed_connection : public testing::Test {
 protected:
  a_closed_connection() {
    asio::ip::tcp::acceptor listener{context, {asio::ip::make_address("127.0.0.1"), 0}};
    io.socket().connect(listener.local_endpoint());
    listener.accept(peer);
    io.socket().non_blocking(true);
  }

  std::size_t write(const std::string& bytes) {
    const auto before = io.wrote();
    error_code ec;
    EXPECT_TRUE(io.write_now(asio::buffer(bytes), ec));
    EXPECT_FALSE(ec);
    return before;
  }
  error_code read_end() {
    error_code ec;
    char byte;
    io.socket().non_blocking(false);
    io.socket().read_some(asio::buffer(&byte, 1), ec);
    return ec;
  }
  void read_at_peer(std::size_t bytes) {
    std::string into(bytes, '\0');
    asio::read(peer, asio::buffer(into));
  }

  asio::io_context context;
  deadline_list deadlines{steady_time{}};
  transport io{tcp_socket{context.get_executor()}, deadlines};
  asio::ip::tcp::socket peer{context};
};

TEST_F(a_closed_connection, did_not_take_what_was_written_after_its_end) {
  write("first");
  read_at_peer(5);
  peer.close();
  const auto before = write("second");
  EXPECT_EQ(read_end(), asio::error::eof);
  EXPECT_TRUE(io.closed_before_it_received(before));
}

TEST_F(a_closed_connection, took_what_was_written_before_its_end) {
  const auto before = write("first");
  read_at_peer(5);
  peer.close();
  EXPECT_EQ(read_end(), asio::error::eof);
  EXPECT_FALSE(io.closed_before_it_received(before));
}

TEST_F(a_closed_connection, to_which_nothing_was_written_took_nothing) {
  peer.close();
  EXPECT_EQ(read_end(), asio::error::eof);
  EXPECT_FALSE(io.closed_before_it_received(io.wrote()));
}

// A unix socket acknowledges nothing, and counts what was read until all of a message was.
TEST(a_closed_unix_connection, may_have_taken_anything) {
  const std::string head(200, 'h');
  for (const std::size_t of_body : {0, 1, 300, 1'000, 3'000, 20'000}) {
    for (const std::size_t taken : {std::size_t{0}, head.size(), head.size() + of_body}) {
      asio::io_context context;
      deadline_list deadlines{steady_time{}};
      transport io{tcp_socket{context.get_executor()}, deadlines};
      int ends[2];
      ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
      io.socket().assign(asio::ip::tcp::v4(), ends[0]);
      io.socket().non_blocking(true);
      const std::string body(of_body, 'b');
      error_code ec;
      EXPECT_TRUE(io.write_now(std::array{asio::buffer(head), asio::buffer(body)}, ec));
      std::string into(taken, '\0');
      EXPECT_EQ(::recv(ends[1], into.data(), taken, MSG_WAITALL), static_cast<ssize_t>(taken));
      ::shutdown(ends[1], SHUT_WR);
      char byte;
      io.socket().read_some(asio::buffer(&byte, 1), ec);
      EXPECT_EQ(ec, asio::error::eof);
      EXPECT_FALSE(io.closed_before_it_received(0)) << taken << " of " << head.size() + of_body;
      ::close(ends[1]);
    }
  }
}

}  // namespace
}  // namespace tollgate::proxy
