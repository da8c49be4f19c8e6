// Two ends of a connection in memory. Data that a test writes into its end is read at the other end
// in the same pieces; every wait completes through the event loop.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/append.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "proxy/net/byte_channel.hpp"
#include "tests/support/fault_plan.hpp"

namespace tollgate::tests {

// The bytes of one direction, and the state of the connection; shared by both ends.
class memory_pipe : public std::enable_shared_from_this<memory_pipe> {
 public:
  // `faults`, if there are any, outlive it.
  explicit memory_pipe(io_executor executor, fault_plan* faults = nullptr)
      : executor_{executor}, faults_{faults} {}

  // --- the test's end ----------------------------------------------------------------------------
  void send(std::string bytes) {
    if (ended_) return;  // nothing comes behind it
    coming_.push_back(std::move(bytes));
    deliver();
  }
  // Ends the input; the program may still write.
  void end() {
    ended_ = true;
    deliver();
  }
  // The peer disappears: pending reads fail, and so do writes.
  void reset() {
    reset_ = true;
    deliver();
    if (reset_handler_) complete(std::exchange(reset_handler_, {}), asio::error::connection_reset);
  }
  // From now on writes fail.
  void refuse_writes() { refuses_writes_ = true; }
  const std::string& received() const { return received_; }
  std::string take() { return std::exchange(received_, {}); }
  bool closed() const { return closed_; }
  bool closed_with_reset() const { return closed_with_reset_; }
  bool shut_down() const { return shut_down_; }
  // Both directions end here, as if the program had been told to.
  void cut() { close(false); }
  int ends_in_use() const { return ends_in_use_; }
  bool is_read() const { return static_cast<bool>(read_handler_); }  // the program waits

  // --- the program's end
  // ---------------------------------------------------------------------------
  std::unique_ptr<proxy::byte_channel> channel() {
    return std::make_unique<channel_end>(shared_from_this());
  }

 private:
  using read_handler = proxy::byte_channel::read_handler;
  using reset_handler = proxy::byte_channel::reset_handler;

  class channel_end final : public proxy::byte_channel {
   public:
    explicit channel_end(std::shared_ptr<memory_pipe> of) : pipe_{std::move(of)} {
      ++pipe_->ends_in_use_;
    }
    ~channel_end() override {
      close(false);
      --pipe_->ends_in_use_;
    }
    bool is_open() const override { return !pipe_->closed_; }
    void close(bool with_reset) override { pipe_->close(with_reset); }
    void shutdown_send() override { pipe_->shut_down_ = true; }
    void read_some(asio::mutable_buffer into, read_handler done) override {
      pipe_->read_some(into, std::move(done));
    }
    void wait_for_reset(reset_handler done) override { pipe_->wait_for_reset(std::move(done)); }
    error_code write(asio::const_buffer bytes) override { return pipe_->write(bytes); }
    bool is_readable() const override {
      return !pipe_->coming_.empty() || pipe_->ended_ || pipe_->reset_;
    }

   private:
    std::shared_ptr<memory_pipe> pipe_;
  };

  void close(bool with_reset) {
    if (closed_) return;
    closed_ = true;
    closed_with_reset_ = with_reset;
    if (read_handler_) complete(0, asio::error::operation_aborted);
    if (reset_handler_) complete(std::exchange(reset_handler_, {}), asio::error::operation_aborted);
  }
  void read_some(asio::mutable_buffer into, read_handler done) {
    into_ = into;
    read_handler_.emplace(std::move(done));
    deliver();
  }
  void wait_for_reset(reset_handler done) {
    reset_handler_.emplace(std::move(done));
    if (!closed_ && !reset_) return;
    complete(std::exchange(reset_handler_, {}),
             closed_ ? asio::error::bad_descriptor : asio::error::connection_reset);
  }
  error_code write(asio::const_buffer bytes) {
    if (closed_) return asio::error::bad_descriptor;
    if (reset_ || refuses_writes_) return asio::error::broken_pipe;
    if (bytes.size() == 0) return {};  // no step
    const bool fails = faults_ != nullptr && faults_->next_fails();
    if (!fails || faults_->is_done_first()) {
      received_.append(static_cast<const char*>(bytes.data()), bytes.size());
    }
    if (!fails) return {};
    reset();
    return asio::error::broken_pipe;
  }
  void deliver() {
    if (!read_handler_) return;
    if (closed_) return complete(0, asio::error::bad_descriptor);
    if (reset_) return complete(0, asio::error::connection_reset);
    if (coming_.empty() && !ended_) return;
    if (faults_ != nullptr && faults_->next_fails()) {
      coming_.clear();
      ended_ = faults_->is_done_first();
      if (!ended_) return reset();
    }
    if (!coming_.empty()) {
      auto& first = coming_.front();
      const auto n = asio::buffer_copy(into_, asio::buffer(first));
      first.erase(0, n);
      if (first.empty()) coming_.pop_front();
      return complete(n, {});
    }
    complete(0, asio::error::eof);
  }
  void complete(std::size_t n, error_code ec) {
    auto handler = *std::move(read_handler_);
    read_handler_.reset();
    asio::post(executor_, asio::append(std::move(handler), ec, n));
  }
  void complete(std::optional<reset_handler> handler, error_code ec) {
    asio::post(executor_, asio::append(*std::move(handler), ec));
  }

  io_executor executor_;
  fault_plan* const faults_;
  std::deque<std::string> coming_;
  std::string received_;
  asio::mutable_buffer into_;
  std::optional<read_handler> read_handler_;
  std::optional<reset_handler> reset_handler_;
  int ends_in_use_ = 0;
  bool ended_ = false, reset_ = false, closed_ = false, closed_with_reset_ = false;
  bool shut_down_ = false, refuses_writes_ = false;
};

}  // namespace tollgate::tests
