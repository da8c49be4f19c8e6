#include "proxy/net/unix_listener.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/setting_error.hpp"

namespace tollgate::proxy {

namespace {

constexpr int most_pending = 4096;

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw config::setting_error{"listen", "unix:" + path + ": " + why};
}

std::string text_of(int error) {
  return std::generic_category().message(error);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  std::memcpy(out.sun_path, path.data(), std::min(path.size(), sizeof out.sun_path - 1));
  return out;
}

quota::file_descriptor new_socket() {
  return quota::file_descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

const sockaddr* plain(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Whether the file is a socket that its process has left behind.
bool is_left_behind(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  const auto probe = new_socket();
  const auto address = address_of(path);
  return ::connect(probe.get(), plain(address), sizeof address) != 0 && errno == ECONNREFUSED;
}

}  // namespace

std::string why_no_socket(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) {
    return S_ISSOCK(found.st_mode) ? "" : "the file exists and is no socket";
  }
  const auto parent = std::filesystem::path{path}.parent_path();
  if (::access(parent.empty() ? "." : parent.c_str(), W_OK | X_OK) != 0) return text_of(errno);
  return "";
}

unix_listener::unix_listener(std::string path, unsigned mode)
    : path_{std::move(path)}, socket_{new_socket()} {
  if (!socket_) fail(path_, text_of(errno));
  if (const auto why = why_no_socket(path_); !why.empty()) fail(path_, why);
  if (is_left_behind(path_)) ::unlink(path_.c_str());
  // The mode of the socket is that of its file, so the file never has a wider one.
  ::fchmod(socket_.get(), mode);
  const auto address = address_of(path_);
  if (::bind(socket_.get(), plain(address), sizeof address) != 0) fail(path_, text_of(errno));
  struct stat made {};
  if (::chmod(path_.c_str(), mode) != 0 || ::lstat(path_.c_str(), &made) != 0 ||
      ::listen(socket_.get(), most_pending) != 0) {
    const int error = errno;
    ::unlink(path_.c_str());
    fail(path_, text_of(error));
  }
  device_ = made.st_dev;
  file_ = made.st_ino;
}

acceptor unix_listener::open(asio::io_context& context) const {
  acceptor out{context};
  const int copy = ::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) fail(path_, text_of(errno));
  out.assign(asio::ip::tcp::v4(), copy);  // the protocol only says which sockets open() would make
  return out;
}

void unix_listener::close() {
  if (!socket_) return;
  struct stat now {};
  const bool ours =
      ::lstat(path_.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == file_;
  if (ours) ::unlink(path_.c_str());
  socket_.reset();
}

}  // namespace tollgate::proxy
