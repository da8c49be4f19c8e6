#include "proxy/gateway/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "proxy/gateway/cors.hpp"
#include "proxy/gateway/exchange/exchange.hpp"
#include "proxy/gateway/exchange/problems.hpp"
#include "proxy/gateway/greeting.hpp"
#include "proxy/gateway/own_response.hpp"
#include "proxy/gateway/worker_host.hpp"
#include "proxy/net/http/head_guard.hpp"
#include "proxy/net/http/rough_head.hpp"
#include "proxy/net/peer.hpp"
#include "proxy/net/slow_reader.hpp"

namespace tollgate::proxy {

namespace {

using routes::problem;
using routes::problem_code;

constexpr std::size_t max_fields = 256;

problem malformed(const std::string& why) {
  return {problem_code::invalid_request, "Malformed request: " + why + ".", {}, {}};
}

problem head_too_large(std::size_t limit) {
  return {problem_code::headers_too_large,
          "The request head is larger than " + std::to_string(limit) + " bytes.",
          {},
          {}};
}

// The parser's copy of a large head, which lives as long as its exchange.
class head_memory {
 public:
  head_memory() = default;
  ~head_memory() {
    if (taken_ > 0) memory_budget::shared().give_back_buffer(taken_);
  }
  head_memory(const head_memory&) = delete;

  bool take(std::size_t bytes) {
    if (bytes <= byte_buffer::initial_capacity) return true;
    if (!memory_budget::shared().take_buffer(bytes)) return false;
    taken_ = bytes;
    return true;
  }

 private:
  std::size_t taken_ = 0;
};

// nginx's words.
problem plain_http_to_tls() {
  return routes::invalid_request("The plain HTTP request was sent to HTTPS port.");
}

problem no_proxy_header() {
  return routes::invalid_request(
      "A connection from this address begins with a PROXY protocol header (listen.proxy_protocol), "
      "and this one did not, or with a malformed one.");
}

class session final : public std::enable_shared_from_this<session>, private open_sessions::entry {
 public:
  session(worker& worker, std::shared_ptr<downstream> client)
      : worker_{worker}, host_{worker}, client_{std::move(client)} {
    worker_.sessions().opened(*this);
  }
  ~session() { worker_.sessions().closed(*this); }

  task<> run() {
    const auto executor = worker_.executor();
    bool another = co_await open();
    while (another) {
      another = co_await serve_one();
      // An exchange may end without a wait, as a refusal does: others have their turn before what
      // is pipelined behind it.
      if (!another || client_->in.empty()) continue;
      auto turn = asio::post(executor, use_task);
      co_await std::move(turn);
    }
    co_await linger();
    client_->io.close();
  }

 private:
  enum class arrival { head, nothing, refused };

  task<bool> open() {
    const auto runtime = worker_.current();
    const auto how = co_await greet(*client_, *runtime);
    if (how == greeting::done) co_return true;
    // A client that will speak TLS could not read the answer.
    const bool can_read = how == greeting::plain_http || !runtime->tls;
    if (how != greeting::over && can_read) {
      auto refusing = refuse(how == greeting::plain_http ? plain_http_to_tls() : no_proxy_header());
      co_await std::move(refusing);
    }
    co_return false;
  }

  task<bool> serve_one() {
    request_reader request;
    head_memory memory;
    const auto came = co_await read_head(request, memory);
    if (came != arrival::head) co_return false;
    worker_.sessions().busy(*this);
    exchange exchange{host_, *client_, request};
    call = &exchange;
    const bool another = co_await exchange.run();
    call = nullptr;
    co_return another;
  }

  // Waits for a complete head. Between requests the connection may be idle for `keep_alive`; once a
  // head has begun, it must be complete within `client_head`.
  task<arrival> read_head(request_reader& request, head_memory& memory) {
    const auto runtime = worker_.current();
    const auto& settings = runtime->settings();
    bool begun = false;
    for (;;) {
      skip_empty_lines();
      const auto view = client_->in.view();
      const auto end = find_head_end(view);
      if (end != std::string_view::npos && end <= settings.limits.head_bytes) {
        client_->io.never_expires();
        if (!memory.take(end)) co_return co_await refuse(no_memory("the head of this request"));
        if (auto refused = take_head(request, end)) co_return co_await refuse(*std::move(refused));
        co_return arrival::head;
      }
      if (view.size() >= settings.limits.head_bytes) {
        co_return co_await refuse(head_too_large(settings.limits.head_bytes));
      }
      if (view.empty()) {
        if (worker_.draining()) co_return arrival::nothing;
        if (!client_->reading()) client_->in.shrink();
        idle = true;
        worker_.sessions().waits(*this);
        begun = false;
        client_->io.expires_after(settings.timeouts.keep_alive);
      } else if (!begun) {
        begun = true;
        client_->io.expires_after(settings.timeouts.client_head);
        worker_.sessions().busy(*this);
      }
      const bool more = co_await client_->read_more(settings.limits.head_bytes);
      idle = false;
      if (more) continue;
      if (!client_->at_end() && client_->in.is_starved(settings.limits.head_bytes)) {
        co_return co_await refuse(no_memory("the head of this request"));
      }
      if (client_->io.timed_out() || !begun) co_return arrival::nothing;
      co_return co_await refuse(routes::invalid_request("The request ended before its head did."));
    }
  }

  std::optional<problem> take_head(request_reader& request, std::size_t end) {
    const auto bytes = client_->in.view().substr(0, end);
    if (auto wrong = inspect_request_head(bytes)) return malformed(*wrong);
    if (const auto ec = request.read_head(bytes)) return malformed(ec.message());
    if (request.head().fields.size() > max_fields) {
      return problem{problem_code::headers_too_large,
                     "The request has more than " + std::to_string(max_fields) + " header fields.",
                     {},
                     {}};
    }
    client_->in.consume(end);
    return {};
  }

  // RFC 9112 section 2.2: an empty line before a request is tolerated.
  void skip_empty_lines() {
    while (client_->in.view().starts_with("\r\n")) client_->in.consume(2);
  }

  // Answers input that is not a request. The beginning of the next request is unknown, so the
  // connection ends with the answer.
  task<arrival> refuse(problem problem) {
    const auto request_id = worker_.world().ids->next_hex128();
    exchange_record record;
    record.request_id = request_id;
    record.peer = client_->peer;
    record.refusal = problem.code;
    record.status = status_of(problem.code);
    worker_.exchange_started();
    const auto seen = read_roughly(client_->in.view());
    auto response = refusal(problem, guess_dialect(seen.path, seen.request()), request_id);
    response.cors = cors_lines(worker_.current()->settings().cors, seen.request());
    response.close = true;
    const auto out = serialize(response, request_id, std::chrono::system_clock::now());
    client_->io.expires_after(std::chrono::seconds{5});
    co_await client_->io.write(asio::buffer(out));
    worker_.exchange_finished(record, *worker_.current());
    co_return arrival::refused;
  }

  // Lets the client read the last answer before the connection is closed: closing at once, with its
  // bytes still arriving, would reset the connection and lose the answer (RFC 9112 section 9.6).
  // Many clients send all of an upload before they look for an answer, so further bytes are dropped
  // for as long as nginx would (`lingering_time`, `lingering_timeout`); none of them are kept.
  task<> linger() {
    constexpr std::chrono::seconds in_all{30}, of_silence{5}, while_draining{2};
    if (client_->at_end() || !client_->io.is_open()) co_return;
    worker_.sessions().ends(*this);
    client_->allow_reads();
    client_->io.shutdown_send(client_);
    const auto began = worker_.deadlines().now();
    while (!client_->at_end()) {
      const auto passed = worker_.deadlines().now() - began;
      if (passed >= (worker_.draining() ? while_draining : in_all)) break;
      client_->io.expires_after(worker_.draining() ? while_draining : of_silence);
      if (!client_->reading()) client_->in.consume(client_->in.size());
      if (!co_await client_->read_more(byte_buffer::transfer_capacity)) break;
    }
  }

  void cut() override { client_->cut(); }
  bool is_known() const override { return client_->caller.known; }
  const std::string& payer() const override { return client_->caller.org; }

  worker& worker_;
  worker_host host_;
  std::shared_ptr<downstream> client_;
};

}  // namespace

void start_session(worker& worker, tcp_socket socket) {
  auto who = peer_of(socket);
  if (!who) return;
  error_code ec;
  socket.set_option(asio::ip::tcp::no_delay{true}, ec);
  socket.non_blocking(true, ec);
  bound_unsent(socket.native_handle());
  const bool is_proxy = proxy::is_proxy(*who, worker.current()->settings().listen);
  auto client =
      std::make_shared<downstream>(std::move(socket), worker.deadlines(), std::move(who->text));
  client->is_proxy = is_proxy;
  start_session(worker, std::move(client));
}

void start_session(worker& worker, std::shared_ptr<downstream> client) {
  const auto running = [](std::shared_ptr<session> self) -> task<> { co_await self->run(); };
  auto self = std::make_shared<session>(worker, std::move(client));
  asio::co_spawn(worker.executor(), running(std::move(self)), [](std::exception_ptr thrown) {
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      spdlog::error("a session ended by an exception: {}", error.what());
    }
  });
}

}  // namespace tollgate::proxy
