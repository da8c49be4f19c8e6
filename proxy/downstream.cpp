#include "proxy/downstream.hpp"

namespace tollgate::proxy {

void downstream::start_read(std::size_t limit) {
  if (reading_ || gone_ || forbidden_ || in.size() >= limit) return;
  reading_ = true;
  io.async_read_some(in.prepare(limit), [self = shared_from_this()](error_code ec, std::size_t n) {
    self->finished(ec, n);
  });
}

void downstream::watch(std::size_t limit) {
  if (!reading_) in.shrink();
  start_read(limit);
}

void downstream::finished(error_code ec, std::size_t n) {
  reading_ = false;
  in.commit(n);
  if (ec) {
    gone_ = true;
    if (on_gone_) std::exchange(on_gone_, nullptr)();
  }
  arrived_.notify();
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
