#include "proxy/net/connection_race.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/error.hpp>

namespace tollgate::proxy {

task<result<std::size_t>> connection_race::run() {
  if (attempts_.empty()) co_return error_code{asio::error::host_not_found};
  if (attempts_.size() == 1) {  // nothing to race with
    const std::function<void()> no_matter = [] {};
    begun_ = 1;
    auto connecting = attempts_.front()->connect(no_matter);
    const auto ec = co_await std::move(connecting);
    ends_.front() = ec;
    if (ec) co_return ec;
    co_return std::size_t{0};
  }
  const auto self = shared_from_this();
  begin_next();
  while (running_ > 0) co_await changed_.wait();
  timer_.cancel();
  if (winner_) co_return *winner_;
  co_return most_telling();
}

void connection_race::begin_next() {
  if (winner_ || stopped_ || begun_ == attempts_.size()) return;
  const auto index = begun_++;
  ++running_;
  wait(delay);
  auto connecting = attempts_[index]->connect([this, index] {
    if (index + 1 == begun_ && !winner_) wait(handshake_delay);
  });
  asio::co_spawn(executor_, std::move(connecting),
                 [self = shared_from_this(), index](std::exception_ptr thrown, error_code ec) {
                   if (thrown) ec = asio::error::no_memory;
                   self->ended(index, ec);
                 });
}

void connection_race::wait(std::chrono::milliseconds longest) {
  timer_.expires_after(longest);
  timer_.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec) self->begin_next();
  });
}

void connection_race::ended(std::size_t index, error_code ec) {
  --running_;
  ends_[index] = ec;
  if (!ec && !winner_) {
    winner_ = index;
    close_open();
  } else if (!winner_) {
    begin_next();
  }
  changed_.notify();
}

void connection_race::close_open() {
  for (std::size_t i = 0; i < begun_; ++i) {
    if (!ends_[i]) attempts_[i]->close();
  }
}

void connection_race::stop() {
  stopped_ = true;
  close_open();
}

bool connection_race::did_not_answer(std::size_t index) const {
  if (index >= begun_ || winner_ == index) return false;
  if (!winner_) return true;
  // An attempt that was closed because another one won has failed only if it had more time.
  return index < *winner_ || (ends_[index] && *ends_[index] != asio::error::operation_aborted);
}

// A peer that was reached says more than one that was not, and an answer more than silence.
error_code connection_race::most_telling() const {
  const auto rank = [](const error_code& ec) {
    if (ec == boost::beast::error::timeout) return 1;
    if (ec.category() != asio::error::get_system_category()) return 3;
    if (ec == asio::error::connection_refused || ec == asio::error::connection_reset) return 2;
    return ec == asio::error::timed_out ? 1 : 0;
  };
  error_code out = *ends_.front();
  for (const auto& each : ends_) {
    if (each && rank(*each) > rank(out)) out = *each;
  }
  return out;
}

}  // namespace tollgate::proxy
