// Whether a connection that is being made is still wanted.
#pragma once

#include <functional>
#include <utility>

namespace tollgate::proxy {

class connect_interest {
 public:
  bool is_there() const { return is_there_; }
  // It is not wanted any more.
  void end() {
    is_there_ = false;
    if (at_end_) std::exchange(at_end_, nullptr)();
  }
  // Called once, when it ends; replaces an earlier one.
  void at_end(std::function<void()> action) { at_end_ = std::move(action); }

 private:
  bool is_there_ = true;
  std::function<void()> at_end_;
};

}  // namespace tollgate::proxy
