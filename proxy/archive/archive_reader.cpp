#include "proxy/archive/archive_reader.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <spdlog/spdlog.h>

namespace tollgate::proxy::archive {

namespace {

template <class T>
result<T> answer_of(const std::function<T(postgres_archive&)>& question,
                    postgres_archive& archive) {
  try {
    return question(archive);
  } catch (const std::exception& error) {
    spdlog::warn("the archive cannot be read: {}", error.what());
    return make_error_code(quota::store_errc::unavailable);
  }
}

}  // namespace

archive_reader::~archive_reader() {
  thread_.stop();
  archive_.interrupt();
  thread_.join();
}

template <class T>
task<result<T>> archive_reader::ask(std::function<T(postgres_archive&)> question) {
  const auto executor = co_await asio::this_coro::executor;
  const auto initiate = [&](auto handler) {
    auto work = asio::make_work_guard(executor);
    auto on_thread = [this, executor, work = std::move(work), question = std::move(question),
                      handler = std::move(handler)]() mutable {
      auto answer = answer_of(question, archive_);
      asio::post(executor, [handler = std::move(handler), answer = std::move(answer)]() mutable {
        std::move(handler)(std::move(answer));
      });
    };
    asio::post(thread_, std::move(on_thread));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>,
                                          void(result<T>)>(initiate, use_task);
}

task<result<std::vector<quota::ledger_entry>>> archive_reader::entries(quota::org_id org,
                                                                       std::string after,
                                                                       std::size_t limit) {
  std::function<std::vector<quota::ledger_entry>(postgres_archive&)> question =
      [org = std::move(org), after = std::move(after), limit](postgres_archive& archive) {
        return archive.entries(org, after, limit);
      };
  co_return co_await ask(std::move(question));
}

task<result<std::vector<quota::usage_counter>>> archive_reader::usage(quota::org_id org,
                                                                      std::int64_t first,
                                                                      std::int64_t last) {
  std::function<std::vector<quota::usage_counter>(postgres_archive&)> question =
      [org = std::move(org), first, last](postgres_archive& archive) {
        return archive.usage(org, first, last);
      };
  co_return co_await ask(std::move(question));
}

task<result<position>> archive_reader::position_of(quota::org_id org) {
  std::function<position(postgres_archive&)> question =
      [org = std::move(org)](postgres_archive& archive) { return archive.position_of(org); };
  co_return co_await ask(std::move(question));
}

}  // namespace tollgate::proxy::archive
