// One connection to Redis: Asio carries the bytes, hiredis encodes and parses.
//
// All commands sent in one turn of the event loop leave in one write, and replies arrive in the
// order of the commands. The connection reconnects forever, with back-off; while it is down every
// command fails at once with store_errc::not_applied. connection_state.hpp has its states.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "quota/clock.hpp"
#include "quota/redis/address.hpp"
#include "quota/redis/resp_encoding.hpp"
#include "quota/redis/store_clock.hpp"
#include "quota/store_error.hpp"
#include "quota/store_state.hpp"
#include "quota/store_traffic.hpp"
#include "quota/task.hpp"

struct redisReply;

namespace tollgate::quota::redis {

// Receives the reply to one command. Called exactly once, from the connection's io_context: with a
// reply that lives as long as the call (it may be an error reply, REDIS_REPLY_ERROR), or with an
// error code and no reply: store_errc::not_applied if the command was certainly not sent, otherwise
// store_errc::unavailable.
class reply_sink {
 public:
  virtual ~reply_sink() = default;
  virtual void complete(error_code ec, const redisReply* reply) noexcept = 0;
};

struct reply_deleter {
  void operator()(redisReply* reply) const noexcept;
};
using reply_ptr = std::unique_ptr<redisReply, reply_deleter>;

struct connection_options {
  // A command that takes longer ends the connection. Half of it is the limit for connecting, and
  // for every command of the greeting.
  milliseconds timeout{2'000};
  // The same for commands of call_all() with replies of any size.
  milliseconds report_timeout{30'000};
  // The longest pause, an attempt and a greeting together stay below 2 s with the default timeout.
  milliseconds backoff_min{50}, backoff_max{800};
  // Only a master is ready. A user that may not ask for the role is believed to be connected to
  // one.
  bool wants_master = true;
  // Asked in the greeting, then every `check_every`, and in trouble every `check_again`; the answer
  // is the store's time in milliseconds. Empty: a connection that is ready is believed to be well.
  std::vector<std::string> check_command = {};
  milliseconds check_every{1'000}, check_again{400};
  // Every change of state().
  std::function<void(const store_state&)> on_state = {};
  // An account must not be used: called once for each reason.
  std::function<void(const std::string&)> on_refusal = {};
};

// Commands with replies of any size (reports) have report_timeout, as long as bytes arrive.
enum class reply_size : std::uint8_t { any, small };

class connection {
 public:
  // `greet` runs on every new connection before it counts as ready (after AUTH, SELECT, ROLE and
  // TIME), and again if the check finds no library: load scripts there. It uses `call_now`.
  using greeting = std::function<task<result<void>>(connection&)>;

  connection(asio::io_context& context, address where, connection_options options, greeting greet);
  ~connection();
  connection(const connection&) = delete;

  void start();
  void stop();         // fails everything that is pending, closes; calls no sink afterwards
  bool ready() const;  // commands may be sent
  // Whether the store as a whole takes operations, as of the last check or error.
  const store_state& state() const;

  // Says why a greeting fails, and why the store must not be used.
  void refuse(std::string why, store_trouble trouble = store_trouble::newer_schema);
  // Says why a greeting fails; the next one may succeed.
  void note_trouble(store_trouble trouble, std::string why);
  // Says why one account is refused; others are not. Reported once for each reason.
  void refuse_account(const std::string& why);
  // Reported once for each reason; nothing is refused for it here.
  void say_once(const std::string& why);
  // The last reason of both. Empty: none is known.
  const std::string& refusal() const;
  // Takes no more commands, waits for the replies to those that were sent, and connects again.
  void reconnect();

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
  task<result<std::vector<reply_ptr>>> call_all(std::vector<std::vector<std::string>> commands,
                                                reply_size size = reply_size::any);

  // Asks for the store's time. Replies that contain the time also synchronize the clock; a user of
  // this connection that receives none of those calls this from time to time.
  task<result<void>> ask_time();
  std::uint64_t times_set_back() const { return clock().times_set_back(); }
  store_clock& clock();
  const store_clock& clock() const;

  store_traffic counted() const;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace tollgate::quota::redis
