// The inside of a connection. connection.cpp sends and receives, connection_lifetime.cpp connects,
// greets, checks and ends, connection_calls.cpp has the coroutines of single commands.
#pragma once

#include <deque>
#include <random>
#include <set>

#include <hiredis/hiredis.h>

#include "quota/redis/backoff.hpp"
#include "quota/redis/connection.hpp"
#include "quota/redis/connection_state.hpp"
#include "quota/redis/reply_deadline.hpp"
#include "quota/redis/server_role.hpp"
#include "quota/redis/store_socket.hpp"

namespace tollgate::quota::redis {

struct reader_deleter {
  void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }
};
using reader_ptr = std::unique_ptr<redisReader, reader_deleter>;

struct connection::impl : std::enable_shared_from_this<connection::impl> {
  impl(asio::io_context& context, address where_, connection_options options_, greeting greet_)
      : executor{context.get_executor()},
        socket{executor},
        pause{executor},
        watchdog{executor},
        linger{executor},
        where{std::move(where_)},
        options{std::move(options_)},
        greet{std::move(greet_)},
        state{options.on_state},
        deadline{options.timeout, options.report_timeout},
        greeting_deadline{options.timeout / 2, options.timeout / 2} {}

  // --- sending ---------------------------------------------------------------------------------
  void send(std::string_view encoded, std::unique_ptr<reply_sink> sink);
  void request_flush();
  void request_flush_soon();
  void flush();
  void write();

  // --- receiving -------------------------------------------------------------------------------
  task<> read(std::uint64_t mine);
  bool dispatch(std::uint64_t mine);
  void note_error(std::string_view text);
  task<result<std::vector<reply_ptr>>> ask_all(
      const std::vector<std::vector<std::string>>& commands, reply_size size);
  void watch_replies(std::uint64_t mine);
  connection_counts counts() const {
    return {traffic.commands, traffic.commands - pending.size(), traffic.bytes_in, reports};
  }

  // --- lifetime --------------------------------------------------------------------------------
  task<> run(connection& owner);
  task<bool> connect();
  task<bool> introduce(connection& owner);
  task<bool> ask_role(connection& owner);
  bool may_be_master(const redisReply& answer);
  task<bool> check(connection& owner);
  task<bool> take_check(connection& owner, const redisReply& reply);
  task<> serve(connection& owner);
  void retire();
  void drop(store_trouble trouble, std::string why);
  void disconnect();
  void stop();

  io_executor executor;
  stream_socket socket;
  timer pause, watchdog, linger;
  address where;
  connection_options options;
  greeting greet;
  connection_state state;
  reply_deadline deadline, greeting_deadline;
  std::function<void()> before_write;
  reader_ptr reader;
  std::deque<std::unique_ptr<reply_sink>> pending;
  std::string out, in_flight;
  std::size_t unsent = 0;     // of `pending`, the last ones: still in `out`
  std::uint64_t reports = 0;  // of `pending`: commands of call_all()
  bool flush_scheduled = false, lingering = false, writing = false;
  std::uint64_t generation = 0;  // of the socket; handlers that hold an older one are late
  store_traffic traffic;
  std::string refusal;
  std::set<std::string> told;  // reported reasons why accounts are refused
  store_clock clock;
  role_question role_asked = role_question::none;  // of this connection, with each check
  std::minstd_rand random{std::random_device{}()};
};

}  // namespace tollgate::quota::redis
