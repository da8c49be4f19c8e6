#include "quota/redis/connection.hpp"

#include <charconv>
#include <deque>
#include <set>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <hiredis/hiredis.h>

#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

using stream_socket = asio::basic_stream_socket<asio::generic::stream_protocol, io_executor>;
using resolver = asio::ip::basic_resolver<asio::ip::tcp, io_executor>;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

constexpr std::size_t read_size = 64 * 1024;

void append_length(std::string& out, char type, std::size_t length) {
  if (length < 10) {  // nearly all of them
    const char short_one[4] = {type, static_cast<char>('0' + length), '\r', '\n'};
    out.append(short_one, sizeof short_one);
    return;
  }
  char digits[24];
  digits[0] = type;
  const auto end = std::to_chars(digits + 1, digits + sizeof digits - 2, length).ptr;
  end[0] = '\r';
  end[1] = '\n';
  out.append(digits, static_cast<std::size_t>(end + 2 - digits));
}

struct reader_deleter {
  void operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }
};
using reader_ptr = std::unique_ptr<redisReader, reader_deleter>;

}  // namespace

void reply_deleter::operator()(redisReply* reply) const noexcept {
  freeReplyObject(reply);
}

void append_array_header(std::string& out, std::size_t count) {
  append_length(out, '*', count);
}

void append_argument(std::string& out, std::string_view argument) {
  append_length(out, '$', argument.size());
  out.append(argument);
  out.append("\r\n", 2);
}

void append_command(std::string& out, std::initializer_list<std::string_view> arguments) {
  append_array_header(out, arguments.size());
  for (const auto argument : arguments) append_argument(out, argument);
}

void append_command(std::string& out, const std::vector<std::string>& arguments) {
  append_array_header(out, arguments.size());
  for (const auto& argument : arguments) append_argument(out, argument);
}

struct connection::impl : std::enable_shared_from_this<connection::impl> {
  impl(asio::io_context& context, address where_, connection_options options_)
      : executor{context.get_executor()},
        socket{executor},
        pause{executor},
        watchdog{executor},
        linger{executor},
        where{std::move(where_)},
        options{std::move(options_)} {}

  // --- sending -------------------------------------------------------------------------------

  void send(std::string_view encoded, std::unique_ptr<reply_sink> sink) {
    out.append(encoded);
    pending.push_back(std::move(sink));
    ++counted.commands;
    request_flush();
  }

  // The flush is posted, so it runs after every handler that was ready in this turn of the loop:
  // everything that they send leaves in one write.
  void request_flush() {
    if (flush_scheduled) return;
    flush_scheduled = true;
    asio::post(executor, [self = shared_from_this()] { self->flush(); });
  }

  // The same after `max_linger`, unless another flush comes first.
  void request_flush_soon() {
    if (flush_scheduled || lingering) return;
    lingering = true;
    linger.expires_after(max_linger);
    linger.async_wait([self = shared_from_this()](error_code ec) {
      if (ec || !self->lingering) return;
      self->flush_scheduled = true;
      self->flush();
    });
  }

  void flush() {
    lingering = false;
    if (before_write) before_write();  // may send(); that must not schedule another flush
    flush_scheduled = false;
    if (!writing && connected && !out.empty()) write();
  }

  void write() {
    ++counted.writes;
    counted.bytes_out += out.size();
    std::swap(out, in_flight);
    out.clear();
    error_code ec;
    const std::size_t written = socket.write_some(asio::buffer(in_flight), ec);
    if (!ec && written == in_flight.size()) return;
    if (ec && ec != asio::error::would_block && ec != asio::error::try_again) return drop();
    writing = true;
    asio::async_write(
        socket, asio::buffer(in_flight) + (ec ? 0 : written),
        [self = shared_from_this(), mine = generation](error_code failed, std::size_t) {
          if (self->generation != mine) return;
          self->writing = false;
          if (failed) return self->drop();
          if (!self->out.empty()) self->write();
        });
  }

  // Closes the socket; the reader notices and cleans up.
  void drop() {
    error_code ignored;
    socket.close(ignored);
  }

  // --- lifetime of the connection ------------------------------------------------------------

  task<> run(connection& owner) {
    auto backoff = options.backoff_min;
    while (!stopped) {
      bool is_open = co_await connect();
      if (is_open) is_open = co_await introduce(owner);
      if (is_open) {
        backoff = options.backoff_min;
        ++counted.connects;
        co_await wait_for_end();
      }
      disconnect();
      if (stopped) break;
      pause.expires_after(backoff);
      error_code ec;
      co_await pause.async_wait(asio::redirect_error(use_task, ec));
      backoff = std::min(backoff * 2, options.backoff_max);
    }
  }

  task<bool> connect() {
    error_code ec;
    ++generation;
    arm_deadline(options.connect_timeout);
    if (!where.unix_path.empty()) {
      const asio::local::stream_protocol::endpoint endpoint{where.unix_path};
      co_await socket.async_connect(endpoint, asio::redirect_error(use_task, ec));
    } else {
      co_await connect_tcp(ec);
    }
    watchdog.cancel();
    if (ec || stopped || !socket.is_open()) co_return false;
    socket.non_blocking(true, ec);
    connected = true;
    reader.reset(redisReaderCreate());
    const auto reading = [](std::shared_ptr<impl> self, std::uint64_t mine) -> task<> {
      co_await self->read(mine);
    };
    asio::co_spawn(executor, reading(shared_from_this(), generation), asio::detached);
    co_return true;
  }

  task<> connect_tcp(error_code& ec) {
    resolver names{executor};
    const auto found =
        co_await names.async_resolve(where.host, where.port, asio::redirect_error(use_task, ec));
    if (ec) co_return;
    ec = asio::error::host_not_found;
    for (const auto& entry : found) {
      error_code ignored;
      socket.close(ignored);
      co_await socket.async_connect(entry.endpoint(), asio::redirect_error(use_task, ec));
      if (!ec) break;
    }
    if (!ec) socket.set_option(asio::ip::tcp::no_delay{true}, ec);
  }

  // AUTH, SELECT, TIME, and the owner's greeting, before the connection counts as ready.
  task<bool> introduce(connection& owner) {
    std::vector<std::vector<std::string>> first;
    if (!where.password.empty()) {
      first.push_back({"AUTH"});
      if (!where.username.empty()) first.back().push_back(where.username);
      first.back().push_back(where.password);
    }
    if (where.database != 0) first.push_back({"SELECT", std::to_string(where.database)});
    first.push_back({"TIME"});
    watch_replies(generation);
    reply_ptr last;
    for (auto& command : first) {
      auto reply = co_await owner.call_now(std::move(command));
      if (!reply || (*reply)->type == REDIS_REPLY_ERROR) co_return false;
      last = *std::move(reply);
    }
    const auto time = parse_time(*last);
    if (!time) co_return false;
    clock.synchronize(*time);
    if (greet) {
      const auto greeted = co_await greet(owner);
      if (!greeted) co_return false;
    }
    ready = connected;
    refusal.clear();
    co_return ready;
  }

  task<> wait_for_end() {
    while (connected) {
      pause.expires_at(timer::time_point::max());  // until disconnected() or stop() cancels it
      error_code ec;
      co_await pause.async_wait(asio::redirect_error(use_task, ec));
    }
  }

  void disconnect() {
    ready = connected = writing = false;
    ++generation;  // late completions of the old socket are recognized by it
    drop();
    watchdog.cancel();
    out.clear();
    in_flight.clear();
    auto failed = std::move(pending);
    pending.clear();
    for (auto& sink : failed) sink->complete(make_error_code(store_errc::unavailable), nullptr);
    if (before_write) before_write();  // schedulers find ready() false and fail their batches
  }

  // --- receiving -----------------------------------------------------------------------------

  task<> read(std::uint64_t mine) {
    const auto buffer = std::make_unique<char[]>(read_size);
    while (generation == mine) {
      error_code ec;
      const std::size_t n = co_await socket.async_read_some(asio::buffer(buffer.get(), read_size),
                                                            asio::redirect_error(use_task, ec));
      if (generation != mine) co_return;
      if (ec) break;
      counted.bytes_in += n;
      ++progress;
      if (redisReaderFeed(reader.get(), buffer.get(), n) != REDIS_OK || !dispatch(mine)) break;
    }
    if (generation != mine) co_return;
    disconnect();    // pending calls, the greeting included, end without a reply
    pause.cancel();  // wakes wait_for_end()
  }

  // Passes every complete reply to the command it answers. False: the stream is malformed.
  bool dispatch(std::uint64_t mine) {
    for (;;) {
      void* parsed = nullptr;
      if (redisReaderGetReply(reader.get(), &parsed) != REDIS_OK) return false;
      if (parsed == nullptr) return true;
      const reply_ptr reply{static_cast<redisReply*>(parsed)};
      if (pending.empty()) return false;
      const auto sink = std::move(pending.front());
      pending.pop_front();
      sink->complete({}, reply.get());
      if (generation != mine) return true;  // the sink stopped us
    }
  }

  // --- deadlines -----------------------------------------------------------------------------

  void arm_deadline(milliseconds after) {
    watchdog.expires_after(after);
    watchdog.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec) self->drop();
    });
  }

  // Drops the connection if commands are waiting and nothing has been read for a whole
  // reply_timeout. One timer serves all commands: the hot path never touches it.
  void watch_replies(std::uint64_t mine) {
    watchdog.expires_after(options.reply_timeout);
    watchdog.async_wait([self = shared_from_this(), mine, seen = progress,
                         waited = !pending.empty()](error_code ec) {
      if (ec || self->generation != mine) return;
      if (waited && !self->pending.empty() && self->progress == seen) return self->drop();
      self->watch_replies(mine);
    });
  }

  void stop() {
    if (lingering) flush();
    stopped = true;
    disconnect();
    pause.cancel();
    linger.cancel();
  }

  io_executor executor;
  stream_socket socket;
  timer pause, watchdog, linger;
  address where;
  connection_options options;
  std::string refusal;
  greeting greet;
  std::function<void()> before_write;
  reader_ptr reader;
  std::deque<std::unique_ptr<reply_sink>> pending;
  std::string out, in_flight;
  bool flush_scheduled = false, lingering = false, writing = false;
  bool connected = false, ready = false, stopped = false;
  std::uint64_t generation = 0;  // of the socket; handlers that hold an older one are late
  std::uint64_t progress = 0;
  store_traffic counted;
  std::set<std::string> told;  // reported reasons why accounts are refused
  store_clock clock;
};

connection::connection(asio::io_context& context, address where, connection_options options,
                       greeting greet)
    : impl_{std::make_shared<impl>(context, std::move(where), options)} {
  impl_->greet = std::move(greet);
}

connection::~connection() {
  impl_->before_write = nullptr;
  impl_->stop();
}

void connection::start() {
  const auto running = [](std::shared_ptr<impl> self, connection& owner) -> task<> {
    co_await self->run(owner);
  };
  asio::co_spawn(impl_->executor, running(impl_, *this), asio::detached);
}

void connection::stop() {
  impl_->stop();
}
bool connection::ready() const {
  return impl_->ready;
}
void connection::refuse(std::string why) {
  if (impl_->refusal == why) return;
  impl_->refusal = std::move(why);
  if (impl_->options.on_refusal) impl_->options.on_refusal(impl_->refusal);
}
void connection::refuse_account(const std::string& why) {
  impl_->refusal = why;
  constexpr std::size_t most_told = 1'000;
  if (impl_->told.size() >= most_told || !impl_->told.insert(why).second) return;
  if (impl_->options.on_refusal) impl_->options.on_refusal(why);
}
void connection::reconnect() {
  asio::post(impl_->executor, [self = impl_, mine = impl_->generation] {
    if (self->generation != mine) return;
    self->disconnect();
    self->pause.cancel();  // wakes wait_for_end()
  });
}
const std::string& connection::refusal() const {
  return impl_->refusal;
}
const store_traffic& connection::counted() const {
  return impl_->counted;
}
store_clock& connection::clock() {
  return impl_->clock;
}
const store_clock& connection::clock() const {
  return impl_->clock;
}

void connection::on_before_write(std::function<void()> before_write) {
  impl_->before_write = std::move(before_write);
}

void connection::request_flush() {
  impl_->request_flush();
}
void connection::request_flush_soon() {
  impl_->request_flush_soon();
}

void connection::send(std::string_view encoded, std::unique_ptr<reply_sink> sink) {
  if (!impl_->ready) return sink->complete(make_error_code(store_errc::unavailable), nullptr);
  impl_->send(encoded, std::move(sink));
}

namespace {

// Moves the reply's content out: the reader then frees an empty reply.
reply_ptr take(const redisReply* reply) {
  auto* mine = static_cast<redisReply*>(calloc(1, sizeof(redisReply)));
  std::swap(*mine, *const_cast<redisReply*>(reply));
  const_cast<redisReply*>(reply)->type = REDIS_REPLY_NIL;
  return reply_ptr{mine};
}

using call_handler = asio::any_completion_handler<void(result<reply_ptr>)>;

class call_sink final : public reply_sink {
 public:
  explicit call_sink(call_handler handler) : handler_{std::move(handler)} {}

  void complete(error_code ec, const redisReply* reply) noexcept override {
    if (ec) return std::move(handler_)(result<reply_ptr>{ec});
    std::move(handler_)(result<reply_ptr>{take(reply)});
  }

 private:
  call_handler handler_;
};

using call_all_handler = asio::any_completion_handler<void(result<std::vector<reply_ptr>>)>;

// Collects the replies to many commands until the last has arrived.
struct gathering {
  gathering(call_all_handler handler_, std::size_t count)
      : handler{std::move(handler_)}, replies(count), missing{count} {}

  call_all_handler handler;
  std::vector<reply_ptr> replies;
  std::size_t missing;
  error_code failed;
};

class gathering_sink final : public reply_sink {
 public:
  gathering_sink(std::shared_ptr<gathering> into, std::size_t at)
      : into_{std::move(into)}, at_{at} {}

  void complete(error_code ec, const redisReply* reply) noexcept override {
    auto& all = *into_;
    if (ec) {
      all.failed = ec;
    } else {
      all.replies[at_] = take(reply);
    }
    if (--all.missing > 0) return;
    if (all.failed) return std::move(all.handler)(result<std::vector<reply_ptr>>{all.failed});
    std::move(all.handler)(result<std::vector<reply_ptr>>{std::move(all.replies)});
  }

 private:
  std::shared_ptr<gathering> into_;
  std::size_t at_;
};

}  // namespace

task<result<reply_ptr>> connection::call(std::vector<std::string> arguments) {
  if (!impl_->ready) co_return make_error_code(store_errc::unavailable);
  co_return co_await call_now(std::move(arguments));
}

task<result<reply_ptr>> connection::call_now(std::vector<std::string> arguments) {
  if (!impl_->connected) co_return make_error_code(store_errc::unavailable);
  std::string encoded;
  append_command(encoded, arguments);
  auto impl = impl_;  // must outlive the wait, even if the connection does not
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>,
                                          void(result<reply_ptr>)>(
      [&](auto handler) {
        impl->send(encoded, std::make_unique<call_sink>(call_handler{std::move(handler)}));
      },
      use_task);
}

task<result<void>> connection::ask_time() {
  std::vector<std::string> command{"TIME"};
  const auto reply = co_await call(std::move(command));
  if (!reply) co_return reply.error();
  const auto time = parse_time(**reply);
  if (!time) co_return make_error_code(store_errc::protocol);
  impl_->clock.synchronize(*time);
  co_return result<void>{};
}

task<result<std::vector<reply_ptr>>> connection::call_all(
    std::vector<std::vector<std::string>> commands) {
  if (!impl_->ready) co_return make_error_code(store_errc::unavailable);
  if (commands.empty()) co_return std::vector<reply_ptr>{};
  auto impl = impl_;  // must outlive the wait, even if the connection does not
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>,
                                          void(result<std::vector<reply_ptr>>)>(
      [&](auto handler) {
        const auto all =
            std::make_shared<gathering>(call_all_handler{std::move(handler)}, commands.size());
        std::string encoded;
        for (std::size_t i = 0; i < commands.size(); ++i) {
          encoded.clear();
          append_command(encoded, commands[i]);
          impl->send(encoded, std::make_unique<gathering_sink>(all, i));
        }
      },
      use_task);
}

}  // namespace tollgate::quota::redis
