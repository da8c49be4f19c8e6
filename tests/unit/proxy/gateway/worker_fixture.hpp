// A worker over a store in memory. Its loop runs on the test's thread, one turn at a time, unless
// the worker is started.
#pragma once

#include <gtest/gtest.h>

#include "proxy/gateway/session.hpp"
#include "tests/support/memory_thread_store.hpp"
#include "tests/support/moments.hpp"
#include "tests/unit/proxy/gateway/played_upstreams.hpp"
#include "tests/unit/proxy/gateway/world.hpp"

namespace tollgate::proxy {

class worker_fixture : public testing::Test {
 protected:
  worker_fixture() {
    world.accounts.time = tests::noon;
    add_customer(world.accounts, "acme", "tg_live_acme", 100_credits);
    open(test_configuration + "log: { access: off }\n");
  }

  void open(const std::string& yaml, std::shared_ptr<asio::ssl::context> tls = nullptr) {
    work.reset();
    world.accounts.reachable = true;  // again: a worker that ends stops its store
    const auto depends_on = [this](asio::io_context&) {
      dependencies out;
      out.store = std::make_unique<tests::memory_thread_store>(world);
      return out;
    };
    const auto listen = [](asio::io_context& on) {
      return listen_on(on, "listen", loopback(), sharing::yes);
    };
    worker_options options{load_configuration(yaml), std::move(tls), listen};
    work = std::make_unique<worker>(depends_on, std::move(options), counts);
    upstreams = std::make_unique<played_upstreams>(work->executor());
    upstreams->serve(*work->current(), work->deadlines());
  }
  static asio::ip::tcp::endpoint loopback() { return {asio::ip::make_address("127.0.0.1"), 0}; }

  // Runs until no handler is ready.
  void run() {
    work->executor().context().restart();
    work->executor().context().poll();
  }
  // Sets the time to that long after the start of the test.
  void pass(std::chrono::milliseconds since_start) {
    work->deadlines().tick(started + since_start);
    run();
  }

  // A client connects; the pipe is the client's end.
  std::shared_ptr<tests::memory_pipe> connect() {
    auto pipe = std::make_shared<tests::memory_pipe>(work->executor());
    auto client = std::make_shared<downstream>(tcp_socket{work->executor()}, pipe->channel(),
                                               work->deadlines());
    clients.push_back(client);
    start_session(*work, std::move(client));
    run();
    return pipe;
  }
  // A client connects and sends this text.
  std::shared_ptr<tests::memory_pipe> ask(std::string text) {
    auto pipe = connect();
    pipe->send(std::move(text));
    run();
    return pipe;
  }

  const quota::account_row& account() { return world.accounts.account("acme").row(); }

  tests::memory_world world;
  metrics::thread_metrics counts;
  std::unique_ptr<played_upstreams> upstreams;
  std::unique_ptr<worker> work;
  std::vector<std::weak_ptr<downstream>> clients;
  const steady_time started = std::chrono::steady_clock::now();
};

}  // namespace tollgate::proxy
