// A child that runs one program and dies with its parent.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "quota/clock.hpp"
#include "quota/redis/embedded_files.hpp"

namespace tollgate::quota::redis {

struct child_options {
  std::string program;                 // a path
  std::vector<std::string> arguments;  // without the program's name
  std::string directory;               // its working directory
  std::string output;                  // standard output and error are appended to this file
};

class child_process {
 public:
  // Starts the program in a session of its own, so that the terminal's interrupt does not reach it.
  // The kernel sends it SIGTERM when the *thread* that calls this ends: call it from a thread that
  // lives as long as the child should. `inherited` stays open in the child. Throws
  // boost::system::system_error.
  child_process(const child_options& options, const file_descriptor& inherited);
  ~child_process();  // kills and reaps the child unless it has been reaped
  child_process(const child_process&) = delete;

  pid_t pid() const { return pid_; }
  // Readable once the child has ended.
  int descriptor() const { return pidfd_.get(); }
  void signal(int number) const;
  // Waits for the end; false if the child has not ended after `patience`.
  bool wait(milliseconds patience);
  // For a child that has ended: "exit status 1", "signal 9".
  std::string how_it_ended() const;

 private:
  pid_t pid_ = -1;
  file_descriptor pidfd_;
  std::optional<int> status_;
};

}  // namespace tollgate::quota::redis
