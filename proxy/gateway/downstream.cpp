#include "proxy/gateway/downstream.hpp"

namespace tollgate::proxy {

void downstream::start_read(std::size_t limit) {
  if (reading_ || at_end() || forbidden_ || in.size() >= limit) return;
  const auto space = in.prepare(limit);
  if (space.size() == 0) return;  // there is no memory for more
  reading_ = true;
  io.async_read_some(
      space, [self = shared_from_this()](error_code ec, std::size_t n) { self->finished(ec, n); });
}

void downstream::watch(std::size_t limit) {
  if (!reading_) in.shrink();
  start_read(limit);
}

void downstream::finished(error_code ec, std::size_t n) {
  reading_ = false;
  in.commit(n);
  if (ec == asio::error::eof) {
    at_end_ = true;
    end_means_gone_ ? left() : watch_for_reset();
  } else if (ec) {
    left();
  }
  arrived_.notify();
}

void downstream::left() {
  gone_ = true;
  if (on_gone_) std::exchange(on_gone_, nullptr)();
}

void downstream::cut() {
  cut_ = true;
  io.close();
}

void downstream::end_means_gone() {
  end_means_gone_ = true;
  if (at_end_ && !gone_) left();
}

// Also completes when the connection is closed on this side.
void downstream::watch_for_reset() {
  io.probe_peer();
  io.wait_for_reset([self = shared_from_this()](error_code) {
    if (self->gone_) return;
    self->left();
    self->arrived_.notify();
  });
}

task<bool> downstream::read_more(std::size_t limit) {
  const std::size_t before = in.size();
  start_read(limit);
  if (!reading_ || forbidden_) co_return false;
  co_await arrived_.wait();
  co_return !forbidden_ && in.size() > before;
}

void downstream::forbid_reads() {
  forbidden_ = true;
  arrived_.notify();
}

}  // namespace tollgate::proxy
