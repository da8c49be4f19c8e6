// Files for exclusive use by one process: a lock file that contains the id of its owner.
#pragma once

#include <optional>
#include <string>

namespace tollgate::quota {

// An open file descriptor that closes itself.
class file_descriptor {
 public:
  file_descriptor() = default;
  explicit file_descriptor(int fd) : fd_{fd} {}
  file_descriptor(file_descriptor&& other) noexcept : fd_{other.release()} {}
  file_descriptor& operator=(file_descriptor&& other) noexcept;
  ~file_descriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

// Opens `path` (mode 0600, created if missing) and locks it as long as this descriptor, or one
// inherited from it, is open. Empty: another process has locked it. Throws
// boost::system::system_error if the file cannot be opened.
std::optional<file_descriptor> try_lock(const std::string& path);

// Writes this process's id into the locked file, for the message of a process that finds it locked.
void write_pid(const file_descriptor& locked);
std::string read_pid(const std::string& path);

}  // namespace tollgate::quota
