// Connects to one of several addresses (RFC 8305 section 5): tries one after the other without
// waiting for long, and uses the first connection that is complete.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "proxy/net/sleep.hpp"
#include "proxy/net/wake_up.hpp"

namespace tollgate::proxy {

// An attempt to connect to one address.
class connection_attempt {
 public:
  virtual ~connection_attempt() = default;
  // `accepted` is called when the peer has accepted the connection and a handshake follows.
  virtual task<error_code> connect(std::function<void()> accepted) = 0;
  // Makes connect() end, also if it has not begun.
  virtual void close() = 0;
};

class connection_race : public std::enable_shared_from_this<connection_race> {
 public:
  // The next attempt begins when the previous one failed, or after `delay` without an answer; once
  // the peer has accepted, after `handshake_delay`.
  static constexpr std::chrono::milliseconds delay{250}, handshake_delay{1000};

  connection_race(io_executor executor, std::vector<std::unique_ptr<connection_attempt>> attempts)
      : executor_{executor}, attempts_{std::move(attempts)}, ends_(attempts_.size()) {}

  // The index of the attempt that succeeded, or the most telling error. All attempts have ended
  // when it returns. The object must be owned by a shared pointer.
  task<result<std::size_t>> run();

  // Ends all attempts, and makes run() return an error.
  void stop();

  // Of an attempt that did not win: that it failed, or had no answer when a later one succeeded.
  bool did_not_answer(std::size_t index) const;

 private:
  void begin_next();
  void wait(std::chrono::milliseconds longest);
  void ended(std::size_t index, error_code ec);
  void close_open();
  error_code most_telling() const;

  const io_executor executor_;
  std::vector<std::unique_ptr<connection_attempt>> attempts_;
  std::vector<std::optional<error_code>> ends_;
  std::optional<std::size_t> winner_;
  std::size_t begun_ = 0, running_ = 0;
  bool stopped_ = false;
  pause_timer timer_{executor_};
  wake_up changed_;
};

}  // namespace tollgate::proxy
