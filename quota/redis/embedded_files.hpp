// The directory of an embedded store: its lock files, its socket, and a look at who listens there.
#pragma once

#include <optional>
#include <string>

namespace tollgate::quota::redis {

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

// A unix socket's path has room for 107 bytes.
bool fits_socket_path(const std::string& path);

enum class server_state : std::uint8_t { absent, loading, ready };
// Asks the server behind `socket_path` with one PING.
server_state ping(const std::string& socket_path);
// Asks it to flush its file and exit. Harmless when nobody listens.
void request_shutdown(const std::string& socket_path);

// The first of `names` that PATH leads to; empty when there is none.
std::string find_program(std::initializer_list<const char*> names);

// The last lines of a log, for an error message.
std::string last_lines(const std::string& path, std::size_t count);

}  // namespace tollgate::quota::redis
