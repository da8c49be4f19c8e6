#include "proxy/outbound/name_resolver.hpp"

#include <memory>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/error.hpp>

namespace tollgate::proxy::outbound {

namespace {

using tcp = asio::ip::tcp;
using clock = std::chrono::steady_clock;
using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor>;

struct answer {
  error_code failed;
  std::vector<tcp::endpoint> found;
};

answer look_up(const std::string& host, std::uint16_t port) {
  asio::io_context unused;
  asio::ip::basic_resolver<tcp, io_executor> names{unused};
  answer out;
  const auto found = names.resolve(host, std::to_string(port), out.failed);
  out.found.assign(found.begin(), found.end());
  return out;
}

// Touched by the asking thread alone.
struct question {
  explicit question(io_executor executor) : wake{executor} {}

  timer wake;
  bool answered = false;
  answer is;
};

}  // namespace

task<result<std::vector<tcp::endpoint>>> name_resolver::resolve(std::string host,
                                                                std::uint16_t port,
                                                                clock::time_point give_up) {
  const io_executor here = co_await asio::this_coro::executor;
  const auto asked = std::make_shared<question>(here);
  asked->wake.expires_at(give_up);
  auto lookup = [asked, host = std::move(host), port,
                 alive = asio::make_work_guard(here)]() mutable {
    auto tell = [asked = std::move(asked), is = look_up(host, port)]() mutable {
      asked->is = std::move(is);
      asked->answered = true;
      asked->wake.cancel();
    };
    asio::post(alive.get_executor(), std::move(tell));
  };
  asio::post(pool_, std::move(lookup));
  error_code ignored;
  co_await asked->wake.async_wait(asio::redirect_error(use_task, ignored));
  if (!asked->answered) co_return boost::beast::error::timeout;
  if (asked->is.failed) co_return asked->is.failed;
  co_return std::move(asked->is.found);
}

}  // namespace tollgate::proxy::outbound
