#include "quota/redis/embedded_files.hpp"

#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <sstream>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace tollgate::quota::redis {

namespace {

file_descriptor connect_to(const std::string& socket_path) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (!fits_socket_path(socket_path)) return {};
  std::memcpy(where.sun_path, socket_path.data(), socket_path.size());
  file_descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket) return {};
  const timeval patience{.tv_sec = 2, .tv_usec = 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const auto* const address = reinterpret_cast<const sockaddr*>(&where);
  if (::connect(socket.get(), address, sizeof where) != 0) return {};
  return socket;
}

// The first bytes of the reply to one inline command; empty when none came.
std::string ask(const std::string& socket_path, std::string_view command) {
  const auto socket = connect_to(socket_path);
  if (!socket) return {};
  if (::send(socket.get(), command.data(), command.size(), MSG_NOSIGNAL) < 0) return {};
  char reply[64];
  const auto length = ::recv(socket.get(), reply, sizeof reply, 0);
  return length > 0 ? std::string{reply, static_cast<std::size_t>(length)} : std::string{};
}

}  // namespace

bool fits_socket_path(const std::string& path) {
  return path.size() < sizeof sockaddr_un{}.sun_path;
}

server_state ping(const std::string& socket_path) {
  const auto reply = ask(socket_path, "PING\r\n");
  if (reply.starts_with("+PONG")) return server_state::ready;
  return reply.empty() ? server_state::absent : server_state::loading;
}

void request_shutdown(const std::string& socket_path) {
  ask(socket_path, "SHUTDOWN\r\n");
}

std::string find_program(std::initializer_list<const char*> names) {
  const char* const path = std::getenv("PATH");
  for (const auto* const name : names) {
    std::istringstream folders{path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"};
    for (std::string folder; std::getline(folders, folder, ':');) {
      const auto program = (folder.empty() ? "." : folder) + "/" + name;
      if (::access(program.c_str(), X_OK) == 0) return program;
    }
  }
  return {};
}

std::string last_lines(const std::string& path, std::size_t count) {
  std::deque<std::string> lines;
  std::ifstream file{path};
  for (std::string line; std::getline(file, line);) {
    lines.push_back(std::move(line));
    if (lines.size() > count) lines.pop_front();
  }
  std::string out;
  for (const auto& line : lines) out += "\n  " + line;
  return out;
}

}  // namespace tollgate::quota::redis
