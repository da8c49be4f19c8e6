#include <boost/asio/any_completion_handler.hpp>

#include "quota/redis/connection_impl.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

// Moves the reply's content out: the reader then frees an empty reply.
reply_ptr take(const redisReply* reply) {
  auto* mine = static_cast<redisReply*>(calloc(1, sizeof(redisReply)));
  std::swap(*mine, *const_cast<redisReply*>(reply));
  const_cast<redisReply*>(reply)->type = REDIS_REPLY_NIL;
  return reply_ptr{mine};
}

using call_handler = asio::any_completion_handler<void(result<reply_ptr>)>;

// To a reader it is the same whether its command was sent.
error_code of_a_call(error_code ec) {
  return ec == store_errc::not_applied ? make_error_code(store_errc::unavailable) : ec;
}

class call_sink final : public reply_sink {
 public:
  explicit call_sink(call_handler handler) : handler_{std::move(handler)} {}

  void complete(error_code ec, const redisReply* reply) noexcept override {
    if (ec) return std::move(handler_)(result<reply_ptr>{of_a_call(ec)});
    std::move(handler_)(result<reply_ptr>{take(reply)});
  }

 private:
  call_handler handler_;
};

using call_all_handler = asio::any_completion_handler<void(result<std::vector<reply_ptr>>)>;

// Collects the replies to many commands until the last has arrived.
struct gathering {
  gathering(call_all_handler handler_, std::size_t count, std::uint64_t* reports_)
      : handler{std::move(handler_)}, replies(count), missing{count}, reports{reports_} {
    if (reports != nullptr) *reports += count;
  }

  call_all_handler handler;
  std::vector<reply_ptr> replies;
  std::size_t missing;
  std::uint64_t*
      reports;  // of the connection, which outlives its sinks; null: the replies are small
  error_code failed;
};

class gathering_sink final : public reply_sink {
 public:
  gathering_sink(std::shared_ptr<gathering> into, std::size_t at)
      : into_{std::move(into)}, at_{at} {}

  void complete(error_code ec, const redisReply* reply) noexcept override {
    auto& all = *into_;
    if (all.reports != nullptr) --*all.reports;
    if (ec) {
      all.failed = of_a_call(ec);
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
  if (!ready()) co_return make_error_code(store_errc::unavailable);
  co_return co_await call_now(std::move(arguments));
}

task<result<reply_ptr>> connection::call_now(std::vector<std::string> arguments) {
  if (!impl_->state.is_connected()) co_return make_error_code(store_errc::unavailable);
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
    std::vector<std::vector<std::string>> commands, reply_size size) {
  if (!ready()) co_return make_error_code(store_errc::unavailable);
  auto impl = impl_;  // must outlive the wait, even if the connection does not
  co_return co_await impl->ask_all(commands, size);
}

// Also while greeting.
task<result<std::vector<reply_ptr>>> connection::impl::ask_all(
    const std::vector<std::vector<std::string>>& commands, reply_size size) {
  if (!state.is_connected()) co_return make_error_code(store_errc::unavailable);
  if (commands.empty()) co_return std::vector<reply_ptr>{};
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>,
                                          void(result<std::vector<reply_ptr>>)>(
      [&](auto handler) {
        const auto all =
            std::make_shared<gathering>(call_all_handler{std::move(handler)}, commands.size(),
                                        size == reply_size::any ? &reports : nullptr);
        std::string encoded;
        for (std::size_t i = 0; i < commands.size(); ++i) {
          encoded.clear();
          append_command(encoded, commands[i]);
          send(encoded, std::make_unique<gathering_sink>(all, i));
        }
      },
      use_task);
}

}  // namespace tollgate::quota::redis
