// `embedded:DIR`: a private redis-server that Tollgate starts, supervises and stops.
//
// It listens on the unix socket DIR/redis.sock only (mode 0700, no TCP port), writes every change
// to an append-only file in DIR, and logs to DIR/redis.log. DIR belongs to one Tollgate at a time,
// which holds a lock on DIR/lock. The server ends with its Tollgate, however that ends: the kernel
// sends it SIGTERM and it flushes its file. If one is left over nevertheless, it is asked to stop
// before a new one starts, so that two servers never write the same file.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "quota/redis/connection.hpp"

namespace tollgate::quota::redis {

// Nothing is acknowledged before the append-only file is on disk, so a power failure loses nothing.
// Redis flushes once for all commands of a turn: with 64 callers that costs a tenth of the
// throughput; a single caller waits for one flush (0.3 ms on an NVMe disk) per call.
struct embedded_options {
  milliseconds start_timeout{120'000};  // a large append-only file takes time to load
  milliseconds stop_timeout{60'000};    // for a server that another Tollgate has left
  // For one's own; then it is killed. What it has acknowledged is on disk.
  milliseconds end_timeout{10'000};
  milliseconds backoff_min{100}, backoff_max{5'000};  // between restarts
  // Called when the server has died or was started again, does not answer, does not end, or has
  // lost its files; from the supervisor's thread.
  std::function<void(const std::string& event)> on_event = [](const std::string&) {};
  // Asked again and again by start(): true ends it, with an error.
  std::function<bool()> gives_up = [] { return false; };
};

struct embedded_error {
  std::string message;  // says what to do
  bool in_use = false;  // another Tollgate uses DIR; its server can be reached (running_address)
};

class embedded_server {
 public:
  explicit embedded_server(std::string directory, embedded_options options = {});
  ~embedded_server();  // stops
  embedded_server(const embedded_server&) = delete;

  // Takes the lock, starts the server and waits until it answers. Blocks; call it before serving.
  // The address is valid as long as this object lives.
  boost::system::result<address, embedded_error> start();

  // Asks the server to stop and waits until it has flushed its file. Call it when the store is no
  // longer used. May be repeated.
  void stop();

  // The address of the server of the Tollgate that uses `directory`.
  static address running_address(const std::string& directory);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace tollgate::quota::redis
