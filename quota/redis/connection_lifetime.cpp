#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include "quota/redis/connection_impl.hpp"
#include "quota/redis/error_reply.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

task<> connection::impl::run(connection& owner) {
  backoff next{options.backoff_min, options.backoff_max};
  while (!state.is_stopped()) {
    bool is_open = co_await connect();
    if (is_open) is_open = co_await introduce(owner);
    if (is_open) {
      next.reset();
      ++traffic.connects;
      co_await serve(owner);
    }
    disconnect();
    if (state.is_stopped()) break;
    pause.expires_after(next.pause(random()));
    error_code ec;
    co_await pause.async_wait(asio::redirect_error(use_task, ec));
  }
}

task<bool> connection::impl::connect() {
  ++generation;
  state.enter(connection_phase::connecting);
  auto opened = co_await open_socket(socket, where, options.timeout / 2);
  if (state.is_stopped()) co_return false;
  if (!opened.ready()) {
    state.met(opened.trouble, std::move(opened.detail));
    co_return false;
  }
  error_code ec;
  socket.non_blocking(true, ec);
  state.enter(connection_phase::greeting);
  reader.reset(redisReaderCreate());
  greeting_deadline.restart(counts());
  watch_replies(generation);
  const auto reading = [](std::shared_ptr<impl> self, std::uint64_t mine) -> task<> {
    co_await self->read(mine);
  };
  asio::co_spawn(executor, reading(shared_from_this(), generation), asio::detached);
  co_return true;
}

namespace {

// A step of the greeting. Where an error says nothing about the server (note_error), it is
// `trouble`.
template <class Note>
task<result<reply_ptr>> step(connection& owner, std::vector<std::string> command,
                             store_trouble trouble, Note note) {
  auto reply = co_await owner.call_now(std::move(command));
  if (!reply || (*reply)->type != REDIS_REPLY_ERROR) co_return reply;
  const auto text = text_of(**reply);
  if (read_error_reply(text).trouble == store_trouble::none) note(trouble, std::string{text});
  co_return make_error_code(store_errc::protocol);
}

}  // namespace

// AUTH, SELECT, ROLE, TIME, the owner's greeting and the check, before the connection counts as
// ready.
task<bool> connection::impl::introduce(connection& owner) {
  const auto note = [this](store_trouble trouble, std::string why) {
    state.met(trouble, std::move(why));
  };
  if (!where.password.empty()) {
    std::vector<std::string> auth{"AUTH"};
    if (!where.username.empty()) auth.push_back(where.username);
    auth.push_back(where.password);
    if (!co_await step(owner, std::move(auth), store_trouble::no_auth, note)) co_return false;
  }
  if (where.database != 0) {
    std::vector<std::string> select{"SELECT", std::to_string(where.database)};
    if (!co_await step(owner, std::move(select), store_trouble::other, note)) co_return false;
  }
  role_asked = role_question::none;
  if (options.wants_master && !co_await ask_role(owner)) co_return false;
  std::vector<std::string> ask{"TIME"};
  const auto reply = co_await step(owner, std::move(ask), store_trouble::no_permission, note);
  if (!reply) co_return false;
  const auto time = parse_time(**reply);
  if (!time) {
    state.met(store_trouble::malformed, "TIME: the answer is not a time");
    co_return false;
  }
  clock.synchronize(*time);
  if (greet) {
    const auto met_before = state.times_met();
    const auto greeted = co_await greet(owner);
    if (!greeted && state.times_met() == met_before) {
      state.met(store_trouble::other, greeted.error().message());
    }
    if (!greeted) co_return false;
  }
  if (!co_await check(owner) || !state.is_connected()) co_return false;
  state.enter(connection_phase::ready);
  deadline.restart(counts());
  refusal.clear();
  co_return state.takes_commands();
}

// False: it is no master, or did not answer.
task<bool> connection::impl::ask_role(connection& owner) {
  role_asked = role_question::role;
  while (role_asked != role_question::none) {
    const auto asked = role_asked;
    const auto reply = co_await owner.call_now(command_of(asked));
    if (!reply) co_return false;
    const bool is_trouble =
        (*reply)->type == REDIS_REPLY_ERROR &&
        read_error_reply(text_of(**reply)).trouble != store_trouble::none;  // noted
    if (is_trouble || !may_be_master(**reply)) co_return false;
    if (role_asked == asked) co_return true;
  }
  co_return true;
}

// Of the answer to the question for the role. A user that may not ask is believed to be connected
// to a master: where writes are refused, the check says so.
bool connection::impl::may_be_master(const redisReply& answer) {
  if (answer.type == REDIS_REPLY_ERROR) {
    const bool may_not_ask = read_error_reply(text_of(answer)).trouble == store_trouble::none;
    if (may_not_ask) role_asked = next_after(role_asked);
    return true;
  }
  auto role = parse_role(answer);
  if (role.trouble == store_trouble::none) return true;
  state.met(role.trouble, where.text() + ": " + role.detail);
  return false;
}

// False: the connection is of no use. A store that takes no writes for now is of use: it answers
// what needs none. The role is asked for in the same write: the server may have been demoted since,
// and still take writes.
task<bool> connection::impl::check(connection& owner) {
  if (options.check_command.empty()) {
    state.checked();
    co_return true;
  }
  std::vector<std::vector<std::string>> commands;
  if (role_asked != role_question::none) commands.push_back(command_of(role_asked));
  commands.push_back(options.check_command);
  const auto replies = co_await ask_all(commands, reply_size::small);
  if (!replies) co_return false;
  if (replies->size() > 1 && !may_be_master(*replies->front())) co_return false;
  co_return co_await take_check(owner, *replies->back());
}

task<bool> connection::impl::take_check(connection& owner, const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ERROR &&
      (reply.type != REDIS_REPLY_INTEGER || reply.integer <= 0)) {
    state.met(store_trouble::malformed, "FCALL: the answer is not a time");
    co_return false;
  }
  if (reply.type != REDIS_REPLY_ERROR) {
    clock.synchronize(time_point{milliseconds{reply.integer}});
    state.checked();
    co_return true;
  }
  const auto text = text_of(reply);
  const auto error = read_error_reply(text);
  if (error.trouble != store_trouble::none) co_return error.then == remedy::wait;
  if (is_unknown_function(text) && greet && state.takes_commands()) {
    const auto loaded = co_await greet(owner);
    co_return loaded.has_value();
  }
  const bool forbidden = text.starts_with("NOPERM");
  state.met(forbidden ? store_trouble::no_permission : store_trouble::other, std::string{text});
  co_return false;
}

task<> connection::impl::serve(connection& owner) {
  while (state.is_connected()) {
    const bool checks = !options.check_command.empty();
    const auto every = state.told().ready() ? options.check_every : options.check_again;
    pause.expires_at(checks ? timer::clock_type::now() + every
                            : timer::time_point::max());  // until the connection ends
    error_code ec;
    co_await pause.async_wait(asio::redirect_error(use_task, ec));
    if (!state.takes_commands()) continue;
    if (checks && !co_await check(owner)) retire();
  }
}

void connection::impl::retire() {
  if (!state.takes_commands()) return;
  state.enter(connection_phase::retiring);
  if (!pending.empty()) return;
  asio::post(executor, [self = shared_from_this(), mine = generation] {
    if (self->generation != mine || !self->pending.empty()) return;
    self->disconnect();
    self->pause.cancel();  // wakes serve()
  });
}

// Closes the socket; the reader notices and cleans up. A connection that is given up anyway has had
// its reason.
void connection::impl::drop(store_trouble trouble, std::string why) {
  if (state.phase() != connection_phase::retiring) state.met(trouble, std::move(why));
  error_code ignored;
  socket.close(ignored);
}

void connection::impl::disconnect() {
  state.enter(connection_phase::waiting);
  writing = false;
  ++generation;  // late completions of the old socket are recognized by it
  error_code ignored;
  socket.close(ignored);
  watchdog.cancel();
  out.clear();
  in_flight.clear();
  auto failed = std::move(pending);
  pending.clear();
  auto sent = failed.size() - std::exchange(unsent, 0);
  for (auto& sink : failed) {
    const auto why = sent > 0 ? store_errc::unavailable : store_errc::not_applied;
    if (sent > 0) --sent;
    sink->complete(make_error_code(why), nullptr);
  }
  if (before_write) before_write();  // schedulers find that it is not ready, and fail their batches
}

void connection::impl::stop() {
  if (lingering) flush();
  state.enter(connection_phase::stopped);  // first: the calls that fail now are no trouble
  disconnect();
  pause.cancel();
  linger.cancel();
}

}  // namespace tollgate::quota::redis
