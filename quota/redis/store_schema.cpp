#include "quota/redis/store_schema.hpp"

#include <future>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <hiredis/hiredis.h>

#include "quota/ledger/schema.hpp"
#include "quota/redis/error_reply.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store.hpp"
#include "quota/store_error.hpp"

namespace tollgate::quota::redis {

std::string newer_schema_text(std::string_view subject, std::string_view schema) {
  std::string text{subject};
  text.append(" is of schema ").append(schema);
  text.append("; this version of Tollgate knows schemas up to ");
  text.append(std::to_string(schema_version));
  return text.append(": use one that knows schema ").append(schema);
}

namespace {

// The server's own troubles have been noted.
void note_refused_read(connection& connection, std::string_view error) {
  if (read_error_reply(error).trouble != store_trouble::none) return;
  const auto trouble = is_forbidden(error) ? store_trouble::no_permission : store_trouble::other;
  connection.note_trouble(trouble, std::string{schema_key} + ": " + std::string{error});
}

}  // namespace

task<result<void>> check_store_schema(connection& connection, store_access access) {
  std::vector<std::string> ask{"GET", std::string{schema_key}};
  const auto stored = co_await connection.call_now(std::move(ask));
  if (!stored) co_return stored.error();
  if ((*stored)->type == REDIS_REPLY_ERROR) {
    note_refused_read(connection, text_of(**stored));
    co_return make_error_code(store_errc::protocol);
  }
  const auto text = text_of(**stored);
  const auto version = text.empty() ? 1 : parse_integer(text).value_or(0);
  if (version < 1 || version > schema_version) {
    connection.refuse(newer_schema_text("the store", text));
    co_return make_error_code(store_errc::protocol);
  }
  if (version == schema_version || access == store_access::read_only) co_return result<void>{};
  // If the store takes no writes now, the next connection tries again: older versions do not check.
  // The change is one atomic step and only upwards, because a later version may be writing its own
  // at the same time.
  constexpr std::string_view raise =
      "if tonumber(redis.call('GET', KEYS[1]) or 1) < tonumber(ARGV[1]) then "
      "redis.call('SET', KEYS[1], ARGV[1]) end";
  std::vector<std::string> note{"EVAL", std::string{raise}, "1", std::string{schema_key},
                                std::to_string(schema_version)};
  const auto noted = co_await connection.call_now(std::move(note));
  if (!noted) co_return noted.error();
  co_return result<void>{};
}

namespace {

std::string ask_why_refused(const address& where, milliseconds patience, store_access access) {
  asio::io_context context;
  const auto connection = make_store_connection(context, where, {}, access);
  connection->start();
  const auto wait = [&]() -> task<> {
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, io_executor>
        pause{context};
    for (milliseconds waited{}; waited < patience; waited += milliseconds{10}) {
      if (connection->ready() || !connection->refusal().empty()) break;
      if (needs_operator(connection->state().trouble)) break;
      pause.expires_after(milliseconds{10});
      co_await pause.async_wait(use_task);
    }
    connection->stop();
    context.stop();
  };
  asio::co_spawn(context, wait(), asio::detached);
  context.run();
  return connection->refusal();
}

}  // namespace

// Runs on a thread of its own, which is abandoned if the lookup of the store's name takes long: a
// start does not wait for it.
std::string why_refused(const address& where, milliseconds patience, store_access access) {
  std::packaged_task<std::string()> asking{
      [where, patience, access] { return ask_why_refused(where, patience, access); }};
  auto refusal = asking.get_future();
  std::thread{std::move(asking)}.detach();
  constexpr milliseconds to_end{100};
  if (refusal.wait_for(patience + to_end) != std::future_status::ready) return {};
  return refusal.get();
}

}  // namespace tollgate::quota::redis
