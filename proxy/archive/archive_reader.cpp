#include "proxy/archive/archive_reader.hpp"

#include <tuple>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <spdlog/spdlog.h>

namespace tollgate::proxy::archive {

namespace {

using namespace std::chrono_literals;

// A report on old days makes three requests at once: this allows four reports per organization, and
// 32 in total.
constexpr std::size_t most_waiting = 96, most_of_an_org = 12;
constexpr auto after_a_failure = 1s;

}  // namespace

archive_reader::~archive_reader() {
  thread_.stop();
  close();
  thread_.join();
}

void archive_reader::close() {
  closed_ = true;
  archive_.interrupt();
}

bool archive_reader::take_place(const quota::org_id& org) {
  const std::lock_guard lock{places_};
  if (closed_ || all_waiting_ >= most_waiting || waiting_[org] >= most_of_an_org) return false;
  ++waiting_[org];
  ++all_waiting_;
  return true;
}

void archive_reader::leave_place(const quota::org_id& org) {
  const std::lock_guard lock{places_};
  --all_waiting_;
  if (--waiting_[org] == 0) waiting_.erase(org);
}

template <class T>
result<T> archive_reader::answer(const std::function<T(postgres_archive&)>& question,
                                 steady::time_point asked_at) {
  const auto now = steady::now(), answer_by = asked_at + patience_;
  if (closed_ || now >= answer_by ||
      (failed_at_ > steady::time_point{} && now - failed_at_ < after_a_failure)) {
    return make_error_code(archive_errc::unavailable);
  }
  archive_.answer_by(answer_by);
  try {
    return question(archive_);
  } catch (const std::exception& error) {
    failed_at_ = steady::now();
    const bool late = failed_at_ >= answer_by && !closed_;
    spdlog::warn("archive unavailable for reading: {}",
                 late ? fmt::format("no answer in {} s", patience_.count()) : error.what());
    return make_error_code(archive_errc::unavailable);
  }
}

template <class T>
task<result<T>> archive_reader::ask(quota::org_id org,
                                    std::function<T(postgres_archive&)> question) {
  if (!take_place(org)) co_return make_error_code(archive_errc::unavailable);
  const auto executor = co_await asio::this_coro::executor;
  const auto initiate = [&](auto handler) {
    auto work = asio::make_work_guard(executor);
    auto on_thread = [this, executor, work = std::move(work), org = std::move(org),
                      asked_at = steady::now(), question = std::move(question),
                      handler = std::move(handler)]() mutable {
      auto found = answer(question, asked_at);
      leave_place(org);
      asio::post(executor, [handler = std::move(handler), found = std::move(found)]() mutable {
        std::move(handler)(std::move(found));
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
      [org, after = std::move(after), limit](postgres_archive& archive) {
        return archive.entries(org, after, limit);
      };
  co_return co_await ask(std::move(org), std::move(question));
}

task<result<std::vector<quota::usage_counter>>> archive_reader::usage(quota::org_id org,
                                                                      std::int64_t first,
                                                                      std::int64_t last) {
  std::function<std::vector<quota::usage_counter>(postgres_archive&)> question =
      [org, first, last](postgres_archive& archive) { return archive.usage(org, first, last); };
  co_return co_await ask(std::move(org), std::move(question));
}

task<result<archive_reader::standing>> archive_reader::standing_of(quota::org_id org) {
  std::function<standing(postgres_archive&)> question = [org](postgres_archive& archive) {
    standing found;
    std::tie(found.store, found.at) = archive.store_and_position_of(org);
    return found;
  };
  co_return co_await ask(std::move(org), std::move(question));
}

}  // namespace tollgate::proxy::archive
