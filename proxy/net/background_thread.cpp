#include "proxy/net/background_thread.hpp"

#include <ctime>
#include <memory>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <sys/resource.h>
#include <unistd.h>

namespace tollgate::proxy {

namespace {

// Where all processors are busy, it gets a quarter of one.
constexpr int lower_priority = 6;

}  // namespace

background_thread::background_thread() : thread_{[this] { serve(); }} {}

background_thread::~background_thread() {
  close();
}

void background_thread::close() {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  for (auto& each : take_all()) each.done(nullptr, false);
}

std::chrono::nanoseconds background_thread::processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

task<bool> background_thread::run(std::string owner, std::function<void()> work) {
  const auto executor = co_await asio::this_coro::executor;
  const auto initiate = [&](auto handler) {
    // A std::function must be copyable, and the handler is not.
    const auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    const auto done = [executor, shared, guard = asio::make_work_guard(executor)](
                          std::exception_ptr thrown, bool has_run) {
      asio::post(executor, [shared, thrown, has_run] { std::move (*shared)(thrown, has_run); });
    };
    if (!add(std::move(owner), {std::move(work), done})) done(nullptr, false);
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>,
                                          void(std::exception_ptr, bool)>(initiate, use_task);
}

bool background_thread::add(std::string owner, job what) {
  const std::lock_guard lock{mutex_};
  if (closed_) return false;
  auto& queue = waiting_[owner];
  if (queue.empty()) turns_.push_back(std::move(owner));
  queue.push_back(std::move(what));
  changed_.notify_one();
  return true;
}

std::deque<background_thread::job> background_thread::take_all() {
  const std::lock_guard lock{mutex_};
  std::deque<job> all;
  for (auto& [owner, queue] : waiting_) {
    for (auto& each : queue) all.push_back(std::move(each));
  }
  waiting_.clear();
  turns_.clear();
  return all;
}

// The priority of a thread alone is Linux' own (setpriority(2), "Bugs").
void background_thread::serve() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), lower_priority);
  std::unique_lock lock{mutex_};
  for (job next; take_next(lock, next); lock.lock()) {
    lock.unlock();
    std::exception_ptr thrown;
    try {
      next.work();
    } catch (...) {
      thrown = std::current_exception();
    }
    next.done(thrown, true);
    next = {};
  }
}

bool background_thread::take_next(std::unique_lock<std::mutex>& lock, job& next) {
  changed_.wait(lock, [this] { return closed_ || !turns_.empty(); });
  if (closed_) return false;
  auto owner = std::move(turns_.front());
  turns_.pop_front();
  const auto found = waiting_.find(owner);
  next = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty())
    waiting_.erase(found);
  else
    turns_.push_back(std::move(owner));
  return true;
}

}  // namespace tollgate::proxy
