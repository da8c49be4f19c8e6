// What a transport says about a peer that has gone, over the loopback interface.
#include "proxy/net/transport.hpp"

#include <boost/asio/read.hpp>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tollgate::proxy
