// `embedded:DIR`: a private redis-server that Tollgate starts, watches over and stops.
//
// It listens on the unix socket DIR/redis.sock only (mode 0700, no TCP port), writes every change
// to an append-only file in DIR, and logs to DIR/redis.log. DIR belongs to one Tollgate at a time:
// a lock on DIR/lock says whose. The server dies with its Tollgate, however that ends: it gets
// SIGTERM from the kernel and flushes its file. One that is left over nevertheless is asked to stop
// before a new one starts, so that two servers never write the same file.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {

// Nothing is acknowledged before the append-only file is on disk, so a machine that loses power
// loses nothing. Redis flushes once for all commands of a turn: with 64 callers that costs a tenth
// of the throughput, a caller alone waits for one flush (0.3 ms on an NVMe disk) a call.
struct embedded_options {
  milliseconds start_timeout{120'000};  // a large append-only file takes its time to load
  milliseconds stop_timeout{60'000};    // then it is killed
  milliseconds backoff_min{100}, backoff_max{5'000};  // between restarts
  // Told when the server died or was started again. Called from the supervisor's thread.
  std::function<void(const std::string& event)> on_event = [](const std::string&) {};
};

struct embedded_error {
  std::string message;  // says what to do
  bool in_use = false;  // another Tollgate has DIR; its server can be reached (running_address)
};

class embedded_server {
 public:
  explicit embedded_server(std::string directory, embedded_options options = {});
  ~embedded_server();  // stops
  embedded_server(const embedded_server&) = delete;

  // Takes the lock, starts the server and waits until it answers. Blocks; call it before serving.
  // The address is good as long as this object.
  boost::system::result<address, embedded_error> start();

  // Asks the server to stop and waits until it has flushed its file. Call it when nobody uses the
  // store any more. May be repeated.
  void stop();

  // Where the server of the Tollgate that has `directory` listens.
  static address running_address(const std::string& directory);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace tollgate::quota::redis
