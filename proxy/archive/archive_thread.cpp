#include "proxy/archive/archive_thread.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "proxy/net/sleep.hpp"

namespace tollgate::proxy::archive {

namespace {

using namespace std::chrono_literals;

constexpr auto round_every = 250ms;
constexpr auto learn_every = 5s;
constexpr std::size_t organizations_at_once = 100;

}  // namespace

archive_thread::archive_thread(const quota::store_opener& open, std::unique_ptr<archive> into,
                               const config::retention_settings& rules,
                               metrics::archive_metrics& counts)
    : store_{open(context_)},
      archiver_{*store_, std::move(into), accounts_, counts, stopping_},
      retention_{*store_, archiver_, accounts_, rules, stopping_} {
  store_->start();
  const auto running = [](archive_thread& self) -> task<> { co_await self.run(); };
  const auto ended = [this](std::exception_ptr failed) {
    try {
      if (failed) std::rethrow_exception(failed);
    } catch (const std::exception& error) {
      spdlog::critical("archiver stopped: {}", error.what());
    }
    context_.stop();
  };
  asio::co_spawn(context_, running(*this), ended);
  thread_ = std::thread{[this] { context_.run(); }};
}

// The coroutine ends on its own thread: if it waits for the store, it gets an error and sees that
// it has to stop.
archive_thread::~archive_thread() {
  stopping_ = true;
  archiver_.interrupt();
  asio::post(context_, [this] { store_->stop(); });
  thread_.join();
}

// Asks for the store's time, because none of the other requests here returns it.
task<> archive_thread::run() {
  while (!stopping_) {
    co_await sleep_for(context_.get_executor(), round_every);
    archiver_.log_lag();
    if (stopping_ || !store_->ledger().ready()) continue;
    const auto known = co_await store_->ask_time();
    if (!known) continue;
    co_await learn_accounts();
    co_await archiver_.run_once();
    co_await retention_.run_once();
  }
}

// False: the store is not available. One that cannot be read must not hide the others.
task<bool> archive_thread::learn(const quota::org_id& org) {
  const auto found = co_await store_->directory().find(org);
  if (!found) co_return found.error() == quota::store_errc::protocol;
  if (*found) accounts_[org].progress.created_at = (*found)->created_at;
  co_return true;
}

// Reads only those that are new. After each reconnection all: it may be another store.
task<> archive_thread::learn_accounts() {
  if (std::chrono::steady_clock::now() < learn_at_) co_return;
  const auto connects = store_->traffic().connects;
  const bool is_same_store = connects == learnt_on_;
  std::string after;
  for (;;) {
    const auto page = co_await store_->directory().ids(after, organizations_at_once);
    if (!page) co_return;
    for (const auto& org : *page) {
      if (is_same_store && accounts_.contains(org)) continue;
      if (!co_await learn(org)) co_return;
    }
    if (page->empty()) break;
    after = page->back();
  }
  learnt_on_ = connects;
  learn_at_ = std::chrono::steady_clock::now() + learn_every;
}

}  // namespace tollgate::proxy::archive
