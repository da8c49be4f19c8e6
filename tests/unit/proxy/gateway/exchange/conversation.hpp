// A client and an upstream that a test plays, and the exchanges between them.
#pragma once

#include "proxy/gateway/exchange/exchange.hpp"
#include "proxy/net/http/head_guard.hpp"
#include "tests/unit/proxy/gateway/exchange/fixture.hpp"
#include "tests/unit/proxy/gateway/played_upstreams.hpp"

namespace tollgate::proxy {

class conversation : public exchange_fixture {
 protected:
  // Ends as a worker does: connections are closed, and coroutines that still wait end with the
  // event loop. None may remain.
  ~conversation() override {
    auto pipes = upstreams.all();
    if (pipe) pipes.push_back(pipe);
    for (const auto& each : pipes) each->cut();
    run();
    context.destroy_what_waits();
    client.reset();
    host.reset();
    for (const auto& each : pipes) EXPECT_EQ(each->ends_in_use(), 0) << "its frames leak";
  }

  void start() {
    pipe = std::make_shared<tests::memory_pipe>(context.get_executor(), upstreams.faults);
    client = std::make_shared<downstream>(closed_socket(), pipe->channel(), host->deadlines());
    upstreams.serve(*host->current(), host->deadlines());
  }

  std::shared_ptr<tests::memory_pipe> expect_connection() { return upstreams.expect(); }

  // Sends the text and serves it as a session does, until the connection ends.
  void ask(std::string text) {
    if (!client) start();
    pipe->send(std::move(text));
    if (!serving) begin_serving();
    run();
  }
  void begin_serving() {
    serving = true;
    asio::co_spawn(context, serve(), [this](std::exception_ptr thrown) {
      serving = false;
      if (thrown) failed = true;
    });
  }
  std::string answer() { return pipe->take(); }
  const finished_exchange& last() const { return host->finished.at(host->finished.size() - 1); }

  // Runs the event loop until the condition holds.
  template <class Condition>
  bool comes(Condition condition) {
    const auto most = std::chrono::steady_clock::now() + 10s;
    while (!condition() && std::chrono::steady_clock::now() < most) {
      context.restart();
      context.run_one_for(10ms);
      if (context.stopped()) break;  // nothing more can happen
    }
    return condition();
  }
  bool all_is_settled() {
    return comes([&] { return host->charges().pending() == 0; });
  }

  std::shared_ptr<tests::memory_pipe> pipe;
  std::shared_ptr<downstream> client;
  played_upstreams upstreams{context.get_executor()};
  bool serving = false, failed = false;
  admitted_call* call = nullptr;  // the one that is being served

 private:
  tcp_socket closed_socket() { return tcp_socket{context.get_executor()}; }

  task<> serve() {
    for (bool another = true; another;) {
      request_reader request;
      std::size_t end = std::string_view::npos;
      while ((end = find_head_end(client->in.view())) == std::string_view::npos) {
        if (!co_await client->read_more(64 * 1024)) co_return;
      }
      if (request.read_head(client->in.view().substr(0, end))) co_return;
      client->in.consume(end);
      exchange one{*host, *client, request};
      call = &one;
      another = co_await one.run();
      call = nullptr;
    }
    client->io.close();
  }
};

}  // namespace tollgate::proxy
