// Files that one process has for itself: a lock file, with the id of the process that has it.
#pragma once

#include <optional>
#include <string>

namespace tollgate::quota {

// An open descriptor, closed at the end.
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

// Opens `path` (mode 0600, made if missing) and locks it for as long as the descriptor, or one that
// was inherited from it, is open. Nothing: somebody else has it locked. Throws
// boost::system::system_error when the file cannot be opened.
std::optional<file_descriptor> try_lock(const std::string& path);

// Writes this process's id into the locked file, for the message that the next one reads.
void write_pid(const file_descriptor& locked);
std::string read_pid(const std::string& path);

}  // namespace tollgate::quota
