// A stream of a fixed list of events; after them it ends, or waits until it is ended.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "proxy/net/api/body_source.hpp"
#include "proxy/net/wake_up.hpp"

namespace tollgate::proxy {

class few_events final : public admin::body_source {
 public:
  explicit few_events(std::vector<std::string> events) : events_{std::move(events)} {}

  std::function<void(std::size_t)> before = [](std::size_t) {};  // the event of this index
  bool waits = false;                                            // after the last event

  task<std::optional<std::string>> next() override {
    if (!ended) before(at_);
    if (!ended && at_ < events_.size()) co_return events_[at_++];
    if (!ended && waits) co_await ending_.wait();
    co_return std::nullopt;
  }
  void end() override {
    ended = true;
    ending_.notify();
  }
  bool ended = false;

 private:
  std::vector<std::string> events_;
  std::size_t at_ = 0;
  wake_up ending_;
};

}  // namespace tollgate::proxy
