// A client and an upstream that a test plays, and the exchanges between them.
#pragma once

#include <deque>

#include "proxy/gateway/exchange/exchange.hpp"
#include "proxy/net/http/head_guard.hpp"
#include "tests/unit/proxy/gateway/exchange/fixture.hpp"

namespace tollgate::proxy {

class conversation : public exchange_fixture {
 protected:
  // As a worker ends: connections are cut, and what waits all the same goes with the event loop.
  // Nothing may stay behind.
  ~conversation() override {
    for (const auto& each : pipes) each->cut();
    run();
    context.destroy_what_waits();
    client.reset();
    pipe.reset();
    upstreams.clear();
    host.reset();
    for (const auto& each : pipes) EXPECT_EQ(each->ends_in_use(), 0) << "its frames leak";
  }

  void start() {
    pipe = make_pipe();
    client = std::make_shared<downstream>(closed_socket(), pipe->channel(), host->deadlines());
    for (auto& pool : host->current()->pools) {
      pool->connect_by([this]() -> task<result<upstream_lease>> { return connect(); });
    }
  }

  // The upstream's next connection.
  std::shared_ptr<tests::memory_pipe> expect_connection() {
    auto made = make_pipe();
    upstreams.push_back(made);
    return made;
  }

  // Sends it and lets it be served as a session does, until the connection ends.
  void ask(std::string text) {
    if (!client) start();
    pipe->send(std::move(text));
    if (!serving) {
      serving = true;
      asio::co_spawn(context, serve(), [this](std::exception_ptr thrown) {
        serving = false;
        if (thrown) failed = true;
      });
    }
    run();
  }
  std::string answer() { return pipe->take(); }
  const finished_exchange& last() const { return host->finished.at(host->finished.size() - 1); }

  // Until it holds, by what the event loop does meanwhile.
  template <class Condition>
  bool comes(Condition condition) {
    for (int i = 0; i < 400 && !condition(); ++i) {
      context.restart();
      context.run_one_for(10ms);
    }
    return condition();
  }
  bool all_is_settled() {
    return comes([&] { return host->charges().pending() == 0; });
  }

  static std::string chat(std::string more_fields = {}) {
    const std::string body = R"({"model":"gpt-4o","messages":[]})";
    return "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
           "Content-Type: application/json\r\n" +
           more_fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string get(const std::string& path, std::string more_fields = {}) {
    return "GET " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n" +
           more_fields + "\r\n";
  }
  static std::string ok(const std::string& body, std::string more_fields = {}) {
    return "HTTP/1.1 200 OK\r\n" + more_fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }

  std::shared_ptr<tests::memory_pipe> pipe;
  std::shared_ptr<downstream> client;
  std::deque<std::shared_ptr<tests::memory_pipe>> upstreams;  // that wait to be connected to
  std::vector<std::shared_ptr<tests::memory_pipe>> pipes;     // all of them
  bool serving = false, failed = false;
  std::function<void()> while_connecting;

 private:
  std::shared_ptr<tests::memory_pipe> make_pipe() {
    pipes.push_back(std::make_shared<tests::memory_pipe>(context.get_executor()));
    return pipes.back();
  }
  tcp_socket closed_socket() { return tcp_socket{context.get_executor()}; }

  task<result<upstream_lease>> connect() {
    if (while_connecting) while_connecting();
    if (upstreams.empty()) co_return asio::error::connection_refused;
    auto made = std::make_unique<upstream_connection>(closed_socket(), upstreams.front()->channel(),
                                                      host->deadlines());
    upstreams.pop_front();
    co_return made;
  }

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
      another = co_await one.run();
    }
    client->io.close();
  }
};

}  // namespace tollgate::proxy
