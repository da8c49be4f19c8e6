// One connection to Redis: Asio carries the bytes, hiredis encodes and parses.
//
// All commands sent in one turn of the event loop leave in one write, and replies arrive in the
// order of the commands. The connection reconnects forever, with back-off; while it is down every
// command fails at once with store_errc::unavailable.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "quota/clock.hpp"
#include "quota/redis/store_clock.hpp"
#include "quota/store_error.hpp"
#include "quota/store_traffic.hpp"
#include "quota/task.hpp"

struct redisReply;

namespace tollgate::quota::redis {

// The address of the store. Parsed by parse_store_url (store_url.hpp) from redis:// and unix://
// URLs; `embedded:DIR` becomes a unix socket once its server runs.
struct address {
  std::string unix_path;  // not empty: a unix socket
  std::string host = "127.0.0.1";
  std::string port = "6379";
  std::string username, password;
  int database = 0;
};

// Receives the reply to one command. Called exactly once, from the connection's io_context: with a
// reply that lives as long as the call (it may be an error reply, REDIS_REPLY_ERROR), or with an
// error code and no reply.
class reply_sink {
 public:
  virtual ~reply_sink() = default;
  virtual void complete(error_code ec, const redisReply* reply) noexcept = 0;
};

struct reply_deleter {
  void operator()(redisReply* reply) const noexcept;
};
using reply_ptr = std::unique_ptr<redisReply, reply_deleter>;

// Appends one command in the Redis protocol.
void append_command(std::string& out, std::initializer_list<std::string_view> arguments);
void append_command(std::string& out, const std::vector<std::string>& arguments);
// For commands whose arguments are appended one by one: `*COUNT` first, then COUNT arguments.
void append_array_header(std::string& out, std::size_t count);
void append_argument(std::string& out, std::string_view argument);

struct connection_options {
  milliseconds connect_timeout{2'000};
  milliseconds reply_timeout{
      5'000};  // the oldest unanswered command; after that the connection is dropped
  milliseconds backoff_min{50}, backoff_max{2'000};
  // The store is reachable but must not be used: called once for each reason.
  std::function<void(const std::string&)> on_refusal = {};
};

class connection {
 public:
  // `greet` runs on every new connection before it counts as ready (after AUTH, SELECT and TIME):
  // load scripts there. It uses `call_now`.
  using greeting = std::function<task<result<void>>(connection&)>;

  connection(asio::io_context& context, address where, connection_options options, greeting greet);
  ~connection();
  connection(const connection&) = delete;

  void start();
  void stop();  // fails everything that is pending, closes; calls no sink afterwards
  bool ready() const;

  // Says why a greeting fails permanently. Empty: no reason is known.
  void refuse(std::string why);
  // Says why one account is refused; others are not. Reported once for each reason.
  void refuse_account(const std::string& why);
  // Ends this connection to the server. The next one runs the greeting again.
  void reconnect();
  const std::string& refusal() const;

  // Queues one encoded command. Commands that are queued while not ready() fail at once.
  void send(std::string_view encoded, std::unique_ptr<reply_sink> sink);

  // `before_write` is called once at the end of every turn in which request_flush() or send() was
  // called, right before the write: batches are encoded then, by calling send().
  void on_before_write(std::function<void()> before_write);
  void request_flush();
  // The same after `max_linger`, unless another write comes first: for commands whose reply no
  // caller waits for.
  void request_flush_soon();
  static constexpr std::chrono::microseconds max_linger{200};

  // For code that runs rarely: one command, one reply. An error reply is a reply.
  task<result<reply_ptr>> call(std::vector<std::string> arguments);
  task<result<reply_ptr>> call_now(std::vector<std::string> arguments);  // also while greeting
  // Many commands in one write; their replies in the same order, or an error if one is missing.
  task<result<std::vector<reply_ptr>>> call_all(std::vector<std::vector<std::string>> commands);

  // Asks for the store's time. Replies that contain the time also synchronize the clock; a user of
  // this connection that receives none of those calls this from time to time.
  task<result<void>> ask_time();
  std::uint64_t times_set_back() const { return clock().times_set_back(); }
  store_clock& clock();
  const store_clock& clock() const;

  const store_traffic& counted() const;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace tollgate::quota::redis
