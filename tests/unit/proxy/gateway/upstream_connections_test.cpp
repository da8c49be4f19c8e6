// A pool's own connections, over the loopback interface: how they are made, and why they fail.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <gtest/gtest.h>

#include "proxy/gateway/runtime.hpp"
#include "proxy/gateway/upstream.hpp"
#include "tests/support/certificate.hpp"

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;

class a_connection : public testing::Test {
 protected:
  a_connection() {
    settings.name = "up";
    settings.host = "127.0.0.1";
    settings.port = listener.local_endpoint().port();
  }

  upstream_pool& pool() {
    if (!pool_) pool_.emplace(context, deadlines, settings, all);
    return *pool_;
  }
  result<upstream_lease> acquire() {
    std::optional<result<upstream_lease>> out;
    begin(out);
    context.restart();
    while (!out && context.run_one_for(20s) > 0) {
    }
    if (!out) throw std::runtime_error{"nobody answers"};
    return *std::move(out);
  }
  void begin(std::optional<result<upstream_lease>>& out) {
    asio::co_spawn(context, pool().acquire(true),
                   [&](std::exception_ptr, auto lease) { out.emplace(std::move(lease)); });
  }

  asio::io_context context;
  deadline_list deadlines{steady_time{}};
  asio::ip::tcp::acceptor listener{context, {asio::ip::make_address("127.0.0.1"), 0}};
  config::upstream_settings settings;
  config::settings all;
  std::optional<upstream_pool> pool_;
};

TEST_F(a_connection, is_made_to_an_address) {
  const auto lease = acquire();
  ASSERT_TRUE(lease.has_value());
  EXPECT_TRUE((*lease)->io.is_open());
  EXPECT_EQ(pool().counted().connects, 1U);
  pool().release(*acquire());
  EXPECT_EQ(pool().idle(), 1U);
}

TEST_F(a_connection, is_made_to_a_name_that_is_resolved_again_when_it_fails) {
  settings.host = "localhost";
  EXPECT_TRUE(acquire().has_value());
  EXPECT_TRUE(acquire().has_value());  // from the cache
  listener.close();
  EXPECT_EQ(acquire().error(), asio::error::connection_refused);
  EXPECT_EQ(acquire().error(), asio::error::connection_refused);
  EXPECT_EQ(pool().counted().connects, 2U);
  EXPECT_EQ(pool().counted().connect_failures, 2U);
}

TEST_F(a_connection, to_nobody_says_so) {
  settings.host = std::string(300, 'x');  // longer than any valid name
  EXPECT_FALSE(acquire().has_value());
  EXPECT_EQ(pool().counted().connect_failures, 1U);
}

// --- TLS ---------------------------------------------------------------------------------------

class a_secure_connection : public a_connection {
 protected:
  a_secure_connection() {
    settings.host = "localhost";
    settings.tls = true;
    settings.ca_file = certificate.file();
  }
  // The upstream's side of the next handshake.
  void answer() {
    const auto accepting = [](a_secure_connection& self) -> task<> {
      tcp_socket socket{self.context.get_executor()};
      co_await self.listener.async_accept(socket, use_task);
      self.peer.emplace(std::move(socket), self.deadlines);
      self.shaken = co_await self.peer->accept_tls(*self.server);
    };
    asio::co_spawn(context, accepting(*this), asio::detached);
  }

  tests::certificate certificate;
  std::shared_ptr<asio::ssl::context> server =
      make_server_tls({certificate.file(), certificate.key_file()});
  std::optional<transport> peer;
  std::optional<error_code> shaken;
};

TEST_F(a_secure_connection, is_made_to_who_has_the_certificate) {
  answer();
  EXPECT_TRUE(acquire().has_value());
}

TEST_F(a_secure_connection, is_not_made_to_who_has_another_name) {
  settings.host = "127.0.0.1";
  answer();
  EXPECT_FALSE(acquire().has_value());
  EXPECT_EQ(pool().counted().connect_failures, 1U);
}

TEST_F(a_secure_connection, is_not_made_to_whom_nobody_vouches_for) {
  settings.ca_file.clear();
  answer();
  EXPECT_FALSE(acquire().has_value());
}

TEST_F(a_secure_connection, is_made_to_anybody_where_nothing_is_verified) {
  settings.ca_file.clear();
  settings.host = "127.0.0.1";
  settings.verify = false;
  answer();
  EXPECT_TRUE(acquire().has_value());
}

TEST_F(a_secure_connection, is_given_up_when_the_handshake_takes_too_long) {
  settings.host = "127.0.0.1";
  std::optional<result<upstream_lease>> out;
  begin(out);
  asio::ip::tcp::socket silent{context};
  bool accepted = false;
  listener.async_accept(silent, [&](error_code) { accepted = true; });
  while (!accepted && context.run_one_for(20s) > 0) {
  }
  char hello;
  asio::read(silent, asio::buffer(&hello, 1));  // the handshake has begun
  EXPECT_FALSE(out.has_value());
  deadlines.tick(steady_time{6s});
  while (!out && context.run_one_for(20s) > 0) {
  }
  EXPECT_EQ(out->error(), asio::error::timed_out);
}

}  // namespace
}  // namespace tollgate::proxy
