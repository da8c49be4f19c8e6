#include "proxy/net/outbound/name_resolver.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/error.hpp>

namespace tollgate::proxy::outbound {

namespace {

using tcp = asio::ip::tcp;
using clock = std::chrono::steady_clock;
using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor>;
using answer = name_resolver::answer;

answer ask_the_system(const std::string& host) {
  asio::io_context unused;
  asio::ip::basic_resolver<tcp, io_executor> names{unused};
  answer out;
  for (const auto& each : names.resolve(host, "", out.failed)) {
    out.found.push_back(each.endpoint().address());
  }
  return out;
}

// A waiting caller. Only the calling thread uses it.
struct asker {
  explicit asker(io_executor executor) : here{executor}, wake{executor} {}

  const io_executor here;
  timer wake;
  bool answered = false;
  answer is;
};
using asker_ptr = std::shared_ptr<asker>;

struct name {
  std::string whose, host;
  auto operator<=>(const name&) const = default;
};

}  // namespace

// Shared by the calling thread and the lookup threads. While the mutex is held, a caller in the
// table is still waiting, so its executor exists; a caller that stops waiting removes itself.
struct name_resolver::shared {
  std::mutex mutex;
  std::condition_variable wake;
  bool stopped = false;
  std::size_t may_begin = 0, idle = 0;  // threads
  lookup how;

  std::map<name, std::vector<asker_ptr>> open;  // in the queue or running
  std::deque<name> queue;
  std::map<std::string, std::size_t> under_way;  // by party
  std::map<name, std::pair<time, error_code>> resting;

  void forget(const name& which, const asker_ptr& who) {
    const std::lock_guard lock{mutex};
    if (const auto known = open.find(which); known != open.end()) std::erase(known->second, who);
  }
  std::optional<name> take_locked();
  void answer_locked(const name& which, const answer& is, clock::duration took);
  static void run(const std::shared_ptr<shared>& self);
};

// The first name whose turn it is. Names that are skipped for good have no waiting callers.
std::optional<name> name_resolver::shared::take_locked() {
  for (auto at = queue.begin(); at != queue.end();) {
    const auto known = open.find(*at);
    if (known->second.empty()) {
      open.erase(known);
      at = queue.erase(at);
    } else if (const auto busy = under_way.find(at->whose);
               busy != under_way.end() && busy->second >= most_of_one) {
      ++at;
    } else {
      auto taken = std::move(*at);
      queue.erase(at);
      ++under_way[taken.whose];
      return taken;
    }
  }
  return {};
}

void name_resolver::shared::answer_locked(const name& which, const answer& is,
                                          clock::duration took) {
  if (--under_way[which.whose] == 0) under_way.erase(which.whose);
  const auto now = clock::now();
  std::erase_if(resting, [&](const auto& each) { return each.second.first <= now; });
  if (is.failed && took >= slow) resting.emplace(which, std::pair{now + rest, is.failed});
  const auto asked = open.extract(which);
  for (const auto& who : asked.mapped()) {
    asio::post(who->here, [who, is] {
      who->is = is;
      who->answered = true;
      who->wake.cancel();
    });
  }
}

void name_resolver::shared::run(const std::shared_ptr<shared>& self) {
  std::unique_lock lock{self->mutex};
  while (!self->stopped) {
    const auto which = self->take_locked();
    if (!which) {
      ++self->idle;
      self->wake.wait(lock);
      --self->idle;
      continue;
    }
    lock.unlock();
    const auto begun = clock::now();
    const auto is = self->how(which->host);
    const auto took = clock::now() - begun;
    lock.lock();
    if (!self->stopped) self->answer_locked(*which, is, took);
  }
}

name_resolver::name_resolver(std::size_t threads, lookup how)
    : shared_{std::make_shared<shared>()} {
  shared_->may_begin = threads;
  shared_->how = how ? std::move(how) : lookup{ask_the_system};
}

name_resolver::~name_resolver() {
  const std::lock_guard lock{shared_->mutex};
  shared_->stopped = true;
  shared_->open.clear();
  shared_->queue.clear();
  shared_->wake.notify_all();
}

task<result<std::vector<tcp::endpoint>>> name_resolver::resolve(std::string host,
                                                                std::uint16_t port, time give_up,
                                                                std::string whose) {
  if (clock::now() >= give_up) co_return boost::beast::error::timeout;
  const auto who = std::make_shared<asker>(co_await asio::this_coro::executor);
  who->wake.expires_at(give_up);
  const name which{std::move(whose), std::move(host)};
  // Also runs if the coroutine is destroyed instead of resumed.
  struct waiting {
    const std::shared_ptr<shared> of;
    const name& which;
    const asker_ptr& who;
    ~waiting() { of->forget(which, who); }
  } const until_answered{shared_, which, who};
  {
    const std::lock_guard lock{shared_->mutex};
    if (const auto known = shared_->resting.find(which);
        known != shared_->resting.end() && known->second.first > clock::now()) {
      co_return known->second.second;
    }
    const auto [asked, first] = shared_->open.try_emplace(which);
    asked->second.push_back(who);
    if (first) {
      shared_->queue.push_back(which);
      if (shared_->queue.size() > shared_->idle && shared_->may_begin > 0) {
        std::thread{shared::run, shared_}.detach();
        --shared_->may_begin;
      } else {
        shared_->wake.notify_one();
      }
    }
  }
  error_code ignored;
  co_await who->wake.async_wait(asio::redirect_error(use_task, ignored));
  if (!who->answered) co_return boost::beast::error::timeout;
  if (who->is.failed) co_return who->is.failed;
  std::vector<tcp::endpoint> found;
  for (const auto& each : who->is.found) found.emplace_back(each, port);
  co_return found;
}

}  // namespace tollgate::proxy::outbound
