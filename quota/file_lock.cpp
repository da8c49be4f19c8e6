#include "quota/file_lock.hpp"

#include <cerrno>
#include <fstream>
#include <utility>

#include <boost/system/system_error.hpp>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace tollgate::quota {

namespace {

[[noreturn]] void throw_errno(const std::string& what) {
  throw boost::system::system_error{errno, boost::system::system_category(), what};
}

}  // namespace

file_descriptor& file_descriptor::operator=(file_descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int file_descriptor::release() {
  return std::exchange(fd_, -1);
}

void file_descriptor::reset() {
  if (fd_ >= 0) ::close(release());
}

std::optional<file_descriptor> try_lock(const std::string& path) {
  file_descriptor file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!file) throw_errno("cannot open " + path);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK) return {};
  throw_errno("cannot lock " + path);
}

void write_pid(const file_descriptor& locked) {
  const auto text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(locked.get(), 0) != 0) return;  // the lock is what matters; the id is for people
  [[maybe_unused]] const auto written = ::pwrite(locked.get(), text.data(), text.size(), 0);
}

std::string read_pid(const std::string& path) {
  std::string pid;
  std::ifstream{path} >> pid;
  return pid.empty() ? "unknown" : pid;
}

}  // namespace tollgate::quota
