// A listening unix socket and its file.
#pragma once

#include <string>

#include <sys/types.h>

#include "proxy/net/acceptor.hpp"
#include "quota/file_lock.hpp"

namespace tollgate::proxy {

class unix_listener {
 public:
  // Binds and listens. A socket file on which no process listens is replaced: it was left by one
  // that was killed. Throws config::setting_error of `listen`.
  unix_listener(std::string path, unsigned mode);
  ~unix_listener() { close(); }
  unix_listener(const unix_listener&) = delete;

  // Several acceptors share the socket; the kernel gives a connection to one of them.
  acceptor open(asio::io_context& context) const;
  // Removes the file, unless another process has replaced it, so that no further client connects.
  void close();

 private:
  std::string path_;
  quota::file_descriptor socket_;
  dev_t device_ = 0;
  ino_t file_ = 0;
};

// Why `path` cannot become a listening socket; empty if it can, or if a process listens there now.
std::string why_no_socket(const std::string& path);

}  // namespace tollgate::proxy
