// The endpoints that wait for deliveries, and those being delivered to. Pure.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "quota/ids.hpp"

namespace tollgate::proxy::webhooks {

using recipient = std::pair<quota::org_id, std::string>;  // an endpoint of an organization

class delivery_queue {
 public:
  // How many deliveries run at once. A slow endpoint occupies one for as long as an attempt may
  // take, so an organization has only a few.
  struct places {
    std::size_t all = 256, of_one_org = 4;
  };

  explicit delivery_queue(places places) : places_{places} {}

  // Adds it once, however often it is called. A busy endpoint is marked as changed.
  void add(recipient to) {
    if (const auto busy = busy_.find(to); busy != busy_.end()) {
      busy->second = true;
    } else if (waiting_.insert(to).second) {
      queue_.push_back(std::move(to));
    }
  }

  // The first whose organization has a free place; it becomes busy.
  std::optional<recipient> begin_next();

  // It is no longer busy. True: something has changed meanwhile.
  bool end(const recipient& to) { return busy_.extract(to).mapped(); }

  bool is_busy(const recipient& to) const { return busy_.contains(to); }
  bool idle() const { return busy_.empty(); }

 private:
  const places places_;
  std::deque<recipient> queue_;
  std::set<recipient> waiting_;     // those in the queue
  std::map<recipient, bool> busy_;  // true: something has changed meanwhile
};

}  // namespace tollgate::proxy::webhooks
