// Counts open connections to an upstream.
#pragma once

#include <utility>

#include "proxy/metrics/cells.hpp"

namespace tollgate::proxy {

// Counts a connection from its start to its end.
class open_connection {
 public:
  open_connection() = default;
  explicit open_connection(metrics::gauge& count) : count_{&count} { count.increment(); }
  open_connection(open_connection&& from) noexcept : count_{std::exchange(from.count_, nullptr)} {}
  open_connection& operator=(open_connection&& from) noexcept {
    std::swap(count_, from.count_);
    return *this;
  }
  ~open_connection() {
    if (count_ != nullptr) count_->add(-1);
  }

 private:
  metrics::gauge* count_ = nullptr;
};

}  // namespace tollgate::proxy
