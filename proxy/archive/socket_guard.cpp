#include "proxy/archive/socket_guard.hpp"

#include <sys/socket.h>

namespace tollgate::proxy::archive {

socket_guard::socket_guard() : watcher_{[this] { watch(); }} {}

socket_guard::~socket_guard() {
  {
    const std::lock_guard lock{mutex_};
    over_ = true;
  }
  changed_.notify_one();
  watcher_.join();
}

void socket_guard::arm(int socket, steady::time_point give_up) {
  {
    const std::lock_guard lock{mutex_};
    socket_ = socket;
    give_up_ = interrupted_ ? steady::time_point{} : give_up;
  }
  changed_.notify_one();
}

void socket_guard::disarm() {
  const std::lock_guard lock{mutex_};
  socket_ = -1;
}

void socket_guard::interrupt() {
  {
    const std::lock_guard lock{mutex_};
    interrupted_ = true;
    give_up_ = {};
  }
  changed_.notify_one();
}

void socket_guard::watch() {
  std::unique_lock lock{mutex_};
  while (!over_) {
    if (socket_ < 0) {
      changed_.wait(lock);
    } else if (steady::now() < give_up_) {
      changed_.wait_until(lock, give_up_);
    } else {
      ::shutdown(socket_, SHUT_RDWR);
      socket_ = -1;
    }
  }
}

}  // namespace tollgate::proxy::archive
