// A redis-server for one test: on a unix socket in a temporary directory, stopped with the object.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace tollgate::tests {

class redis_server {
 public:
  // `options` are added to the command line: {"--appendonly", "yes"}.
  explicit redis_server(std::vector<std::string> options = {});
  ~redis_server();
  redis_server(const redis_server&) = delete;

  const std::string& socket() const { return socket_; }
  pid_t pid() const { return pid_; }

  void start();  // returns when it answers
  void stop();   // SIGTERM
  void kill();   // SIGKILL at any moment

 private:
  void end(int signal);
  bool answers() const;

  std::vector<std::string> options_;
  std::string directory_, socket_;
  pid_t pid_ = -1;
};

}  // namespace tollgate::tests
