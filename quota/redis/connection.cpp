#include "quota/redis/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "quota/redis/connection_impl.hpp"
#include "quota/redis/error_reply.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {
constexpr std::size_t read_size = 64 * 1024;
}

void reply_deleter::operator()(redisReply* reply) const noexcept {
  freeReplyObject(reply);
}

// --- sending ---------------------------------------------------------------------------------

void connection::impl::send(std::string_view encoded, std::unique_ptr<reply_sink> sink) {
  out.append(encoded);
  pending.push_back(std::move(sink));
  ++unsent;
  ++traffic.commands;
  request_flush();
}

// The flush is posted, so it runs after every handler that was ready in this turn of the loop:
// everything that they send leaves in one write.
void connection::impl::request_flush() {
  if (flush_scheduled) return;
  flush_scheduled = true;
  asio::post(executor, [self = shared_from_this()] { self->flush(); });
}

// The same after `max_linger`, unless another flush comes first.
void connection::impl::request_flush_soon() {
  if (flush_scheduled || lingering) return;
  lingering = true;
  linger.expires_after(max_linger);
  linger.async_wait([self = shared_from_this()](error_code ec) {
    if (ec || !self->lingering) return;
    self->flush_scheduled = true;
    self->flush();
  });
}

void connection::impl::flush() {
  lingering = false;
  if (before_write) before_write();  // may send(); that must not schedule another flush
  flush_scheduled = false;
  if (!writing && state.is_connected() && !out.empty()) write();
}

void connection::impl::write() {
  ++traffic.writes;
  traffic.bytes_out += out.size();
  std::swap(out, in_flight);
  out.clear();
  unsent = 0;
  error_code ec;
  const std::size_t written = socket.write_some(asio::buffer(in_flight), ec);
  if (!ec && written == in_flight.size()) return;
  if (ec && ec != asio::error::would_block && ec != asio::error::try_again) {
    return drop(store_trouble::closed, ec.message());
  }
  writing = true;
  asio::async_write(socket, asio::buffer(in_flight) + (ec ? 0 : written),
                    [self = shared_from_this(), mine = generation](error_code failed, std::size_t) {
                      if (self->generation != mine) return;
                      self->writing = false;
                      if (failed) return self->drop(store_trouble::closed, failed.message());
                      if (!self->out.empty()) self->write();
                    });
}

// --- receiving -------------------------------------------------------------------------------

task<> connection::impl::read(std::uint64_t mine) {
  const auto buffer = std::make_unique<char[]>(read_size);
  while (generation == mine) {
    error_code ec;
    const std::size_t n = co_await socket.async_read_some(asio::buffer(buffer.get(), read_size),
                                                          asio::redirect_error(use_task, ec));
    if (generation != mine) co_return;
    if (ec) {
      // After drop() the reason is known.
      if (socket.is_open()) drop(store_trouble::closed, ec.message());
      break;
    }
    traffic.bytes_in += n;
    if (redisReaderFeed(reader.get(), buffer.get(), n) != REDIS_OK || !dispatch(mine)) break;
  }
  if (generation != mine) co_return;
  disconnect();    // pending calls, the greeting included, end without a reply
  pause.cancel();  // wakes serve()
}

// Passes every complete reply to the command it answers. False: the connection has ended.
bool connection::impl::dispatch(std::uint64_t mine) {
  for (;;) {
    void* parsed = nullptr;
    if (redisReaderGetReply(reader.get(), &parsed) != REDIS_OK) {
      drop(store_trouble::malformed, reader->errstr);
      return false;
    }
    if (parsed == nullptr) return true;
    const reply_ptr reply{static_cast<redisReply*>(parsed)};
    if (reply->type == REDIS_REPLY_ERROR) note_error(text_of(*reply));
    if (pending.empty()) {  // a server that takes no more connections says so unasked
      const bool is_error = reply->type == REDIS_REPLY_ERROR;
      drop(is_error ? store_trouble::closed : store_trouble::malformed, "an unexpected reply");
      return false;
    }
    const auto sink = std::move(pending.front());
    pending.pop_front();
    sink->complete({}, reply.get());
    if (generation != mine) return true;  // the sink stopped us
    if (pending.empty() && state.phase() == connection_phase::retiring) return false;
  }
}

// The one place that draws conclusions about the server from an error, whoever gets the reply.
void connection::impl::note_error(std::string_view text) {
  const auto error = read_error_reply(text);
  if (error.trouble == store_trouble::none) return;
  state.met(error.trouble, std::string{text});
  if (error.then == remedy::reconnect && state.takes_commands()) retire();
}

// One timer serves all commands: the hot path never touches it.
void connection::impl::watch_replies(std::uint64_t mine) {
  auto& of_this_phase = state.phase() == connection_phase::greeting ? greeting_deadline : deadline;
  watchdog.expires_after(of_this_phase.tick_every());
  watchdog.async_wait([self = shared_from_this(), &of_this_phase, mine](error_code ec) {
    if (ec || self->generation != mine) return;
    if (of_this_phase.is_late(self->counts())) {
      return self->drop(store_trouble::timed_out, self->where.text() + ": no answer in time");
    }
    self->watch_replies(mine);
  });
}

// --- the interface ---------------------------------------------------------------------------

connection::connection(asio::io_context& context, address where, connection_options options,
                       greeting greet)
    : impl_{std::make_shared<impl>(context, std::move(where), std::move(options),
                                   std::move(greet))} {}

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
  return impl_->state.takes_commands();
}
const store_state& connection::state() const {
  return impl_->state.told();
}
void connection::refuse(std::string why, store_trouble trouble) {
  impl_->refusal = why;
  if (!why.empty()) impl_->state.met(trouble, std::move(why));
}
void connection::note_trouble(store_trouble trouble, std::string why) {
  impl_->state.met(trouble, std::move(why));
}
void connection::refuse_account(const std::string& why) {
  impl_->refusal = why;
  say_once(why);
}
void connection::say_once(const std::string& why) {
  constexpr std::size_t most_told = 1'000;
  if (impl_->told.size() >= most_told || !impl_->told.insert(why).second) return;
  if (impl_->options.on_refusal) impl_->options.on_refusal(why);
}
void connection::reconnect() {
  asio::post(impl_->executor, [self = impl_, mine = impl_->generation] {
    if (self->generation == mine) self->retire();
  });
}
const std::string& connection::refusal() const {
  return impl_->refusal;
}
store_traffic connection::counted() const {
  auto counted = impl_->traffic;
  counted.troubles = impl_->state.counted();
  return counted;
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
  if (!ready()) return sink->complete(make_error_code(store_errc::not_applied), nullptr);
  impl_->send(encoded, std::move(sink));
}

}  // namespace tollgate::quota::redis
