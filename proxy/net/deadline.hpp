// Cheap deadlines: arming one stores a time and a link, without setting a timer. One tick per
// thread walks all armed ones. They fire at most one tick late, never early.
#pragma once

#include <chrono>
#include <functional>

#include <boost/intrusive/list.hpp>

namespace tollgate::proxy {

using steady_time = std::chrono::steady_clock::time_point;

class deadline : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual ~deadline() = default;
  deadline() = default;
  deadline(const deadline&) = delete;
  deadline& operator=(const deadline&) = delete;

 private:
  friend class deadline_list;
  virtual void on_deadline() = 0;
  steady_time at_{};
};

class deadline_list {
 public:
  static constexpr std::chrono::milliseconds tick_every{50};

  explicit deadline_list(steady_time now) : now_{now} {}

  // Replaces an earlier deadline of the same object. A zero `after` means none.
  void arm(deadline& what, std::chrono::milliseconds after) {
    what.unlink();
    if (after.count() == 0) return;
    what.at_ = now_ + after + tick_every;
    armed_.push_back(what);
  }
  static void disarm(deadline& what) { what.unlink(); }

  void tick(steady_time now) {
    now_ = now;
    for (auto it = armed_.begin(); it != armed_.end();) {
      deadline& each = *it++;
      if (each.at_ > now_) continue;
      each.unlink();
      due_.push_back(each);
    }
    while (!due_.empty()) {
      deadline& each = due_.front();
      each.unlink();
      each.on_deadline();
    }
  }

  steady_time now() const { return now_; }  // as of the last tick

 private:
  using list = boost::intrusive::list<deadline, boost::intrusive::constant_time_size<false>>;
  list armed_, due_;
  steady_time now_;
};

}  // namespace tollgate::proxy
