// A pool's own connections, over the loopback interface: how they are made, and why they fail.
#include <deque>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include "proxy/gateway/runtime.hpp"
#include "proxy/gateway/upstream.hpp"
#include "proxy/net/connection_race.hpp"
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
  pool().release(*acquire(), steady_time{});
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

// --- several addresses --------------------------------------------------------------------------

class a_connection_to_a_name : public a_connection {
 protected:
  // A listener with a full queue: like an address behind which nothing is.
  asio::ip::tcp::endpoint silent() {
    full.open(asio::ip::tcp::v4());
    full.bind({asio::ip::make_address("127.0.0.2"), 0});
    full.listen(0);
    for (int i = 0; i < 3; ++i) {
      waiting.emplace_back(context).open(asio::ip::tcp::v4());
      waiting.back().non_blocking(true);
      const auto to = full.local_endpoint();
      ::connect(waiting.back().native_handle(), to.data(), static_cast<socklen_t>(to.size()));
    }
    return full.local_endpoint();
  }
  void resolves_to(upstream_connector::endpoints addresses) {
    settings.host = "several.test";
    connector.emplace(context, deadlines, settings, all.timeouts.connect);
    connector->look_up_by(
        [addresses]() -> task<result<upstream_connector::endpoints>> { co_return addresses; });
  }
  result<upstream_lease> connect() {
    std::optional<result<upstream_lease>> out;
    asio::co_spawn(context, connector->connect(interest),
                   [&](std::exception_ptr, auto lease) { out.emplace(std::move(lease)); });
    context.restart();
    while (!out && context.run_one_for(20s) > 0) {
    }
    return *std::move(out);
  }
  std::chrono::milliseconds time_to_connect() {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(connect().has_value());
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 began);
  }

  asio::ip::tcp::acceptor full{context};
  std::deque<asio::ip::tcp::socket> waiting;
  std::optional<upstream_connector> connector;
  connect_interest interest;
};

TEST_F(a_connection_to_a_name, does_not_wait_for_a_dead_address_and_remembers_it) {
  resolves_to({silent(), listener.local_endpoint()});
  EXPECT_GE(time_to_connect(), connection_race::delay);
  for (int i = 0; i < 3; ++i) EXPECT_LT(time_to_connect(), connection_race::delay);
}

TEST_F(a_connection_to_a_name, tries_the_other_family) {
  resolves_to({{asio::ip::make_address("::1"), listener.local_endpoint().port()},
               listener.local_endpoint()});
  EXPECT_TRUE(connect().has_value());
}

TEST_F(a_connection_to_a_name, fails_when_all_addresses_do) {
  const auto port = listener.local_endpoint().port();
  listener.close();
  resolves_to({{asio::ip::make_address("::1"), port}, {asio::ip::make_address("127.0.0.1"), port}});
  EXPECT_EQ(connect().error(), asio::error::connection_refused);
}

TEST_F(a_connection_to_a_name, gives_all_addresses_one_time_limit) {
  resolves_to({silent(), full.local_endpoint(), full.local_endpoint()});
  std::optional<result<upstream_lease>> out;
  asio::co_spawn(context, connector->connect(interest),
                 [&](std::exception_ptr, auto lease) { out.emplace(std::move(lease)); });
  const auto until = std::chrono::steady_clock::now() + 2 * connection_race::delay + 100ms;
  while (std::chrono::steady_clock::now() < until) context.run_one_for(10ms);
  EXPECT_FALSE(out.has_value());
  deadlines.tick(steady_time{6s});
  while (!out && context.run_one_for(20s) > 0) {
  }
  EXPECT_EQ(out->error(), asio::error::timed_out);
}

TEST_F(a_connection_to_a_name, uses_the_last_addresses_when_the_name_servers_fail) {
  int lookups = 0;
  resolves_to({});
  connector->look_up_by([&]() -> task<result<upstream_connector::endpoints>> {
    if (++lookups > 1) co_return error_code{asio::error::host_not_found_try_again};
    co_return upstream_connector::endpoints{listener.local_endpoint()};
  });
  EXPECT_TRUE(connect().has_value());
  deadlines.tick(steady_time{1min});
  EXPECT_TRUE(connect().has_value());
  EXPECT_EQ(lookups, 2);
}

TEST_F(a_connection, to_a_unix_socket) {
  const std::string path = testing::TempDir() + "upstream-" + std::to_string(::getpid()) + ".sock";
  settings.unix_path = path;
  EXPECT_EQ(acquire().error(), boost::system::errc::no_such_file_or_directory);
  asio::local::stream_protocol::acceptor app{context, path, false};
  asio::local::stream_protocol::socket peer{context};
  app.async_accept(peer, [](error_code) {});
  auto lease = acquire();
  ASSERT_TRUE(lease.has_value());
  error_code ec;
  EXPECT_TRUE((*lease)->io.write_now(asio::buffer("hello", 5), ec));
  EXPECT_FALSE((*lease)->io.is_stale());
  ::unlink(path.c_str());
}

// --- a caller that does not wait ----------------------------------------------------------------

class a_connection_that_is_not_wanted : public a_connection_to_a_name {
 protected:
  void begin_to_connect(connect_interest& who, std::optional<result<upstream_lease>>& out) {
    asio::co_spawn(context, connector->connect(who),
                   [&](std::exception_ptr, auto lease) { out.emplace(std::move(lease)); });
    context.restart();
    context.poll();
  }
  // Without waiting for time to pass.
  void run_to_the_end() {
    context.restart();
    context.poll();
  }
};

TEST_F(a_connection_that_is_not_wanted, closes_all_its_attempts) {
  for (const bool several : {false, true}) {
    upstream_connector::endpoints to{silent()};
    if (several) to.push_back(full.local_endpoint());
    resolves_to(to);
    connect_interest who;
    std::optional<result<upstream_lease>> out;
    begin_to_connect(who, out);
    EXPECT_FALSE(out.has_value());
    who.end();
    run_to_the_end();
    ASSERT_TRUE(out.has_value());
    EXPECT_FALSE(out->has_value());
    full.close();
    waiting.clear();
  }
}

TEST_F(a_connection_that_is_not_wanted, does_not_wait_for_the_lookup_of_another) {
  resolves_to({});
  int lookups = 0;
  wake_up found;
  connector->look_up_by([&]() -> task<result<upstream_connector::endpoints>> {
    ++lookups;
    co_await found.wait();
    co_return upstream_connector::endpoints{listener.local_endpoint()};
  });
  connect_interest first, second, third;
  std::optional<result<upstream_lease>> looks, leaves, waits;
  begin_to_connect(first, looks);
  begin_to_connect(second, leaves);
  begin_to_connect(third, waits);
  EXPECT_EQ(lookups, 1);  // a lookup cannot be interrupted, so there is one at a time
  second.end();
  first.end();
  run_to_the_end();
  ASSERT_TRUE(leaves.has_value());
  EXPECT_EQ(leaves->error(), asio::error::operation_aborted);
  EXPECT_FALSE(looks.has_value());  // it looks for the others
  found.notify();
  while (!waits && context.run_one_for(20s) > 0) {
  }
  EXPECT_TRUE(waits->has_value());
  EXPECT_EQ(looks->error(), asio::error::operation_aborted);
  EXPECT_EQ(lookups, 1);
}

TEST_F(a_connection_that_is_not_wanted, does_not_wait_for_room_at_a_unix_socket) {
  const std::string path = testing::TempDir() + "full-" + std::to_string(::getpid()) + ".sock";
  asio::local::stream_protocol::acceptor app{context};
  app.open();
  app.bind(path);
  app.listen(0);
  std::deque<asio::local::stream_protocol::socket> queue;
  const auto to = app.local_endpoint();
  int connected = 0;
  while (connected == 0) {
    queue.emplace_back(context).open();
    queue.back().non_blocking(true);
    connected =
        ::connect(queue.back().native_handle(), to.data(), static_cast<socklen_t>(to.size()));
  }
  EXPECT_EQ(errno, EAGAIN);
  settings.unix_path = path;
  resolves_to({});
  connect_interest who;
  std::optional<result<upstream_lease>> out;
  begin_to_connect(who, out);
  EXPECT_FALSE(out.has_value());
  who.end();
  while (!out && context.run_one_for(20s) > 0) {
  }
  EXPECT_EQ(out->error(), asio::error::operation_aborted);
  ::unlink(path.c_str());
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

// The records are longer than the text, and they are what the peer acknowledges.
TEST_F(a_secure_connection, knows_what_its_peer_received) {
  for (const bool is_read : {false, true}) {
    answer();
    auto lease = *acquire();
    while (!shaken) context.run_one_for(1s);
    auto& io = lease->io;
    const std::string text(100, 'x');
    const auto write = [&] {
      bool written = false;
      asio::co_spawn(context, io.write(asio::buffer(text)),
                     [&](std::exception_ptr, error_code ec) { written = !ec; });
      context.restart();
      context.poll();
      EXPECT_TRUE(written);
    };
    const auto before = io.wrote();
    if (!is_read) peer->socket().close();
    write();
    EXPECT_GT(io.wrote() - before, text.size());
    if (is_read) {
      char record[200];
      asio::read(peer->socket(), asio::buffer(record, io.wrote() - before));
      peer->socket().close();
    }
    error_code ec;
    char tickets[4096];
    io.socket().non_blocking(false);
    while (!ec) io.socket().read_some(asio::buffer(tickets), ec);
    const bool is_reset = ec == asio::error::connection_reset;  // says nothing
    EXPECT_TRUE(is_reset || io.closed_before_it_received(before) == !is_read);
    shaken.reset();
    pool_.reset();
  }
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
