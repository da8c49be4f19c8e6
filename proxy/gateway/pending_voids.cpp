#include "proxy/gateway/pending_voids.hpp"

#include <utility>

namespace tollgate::proxy {

void pending_voids::add(quota::org_id org, quota::operation what, steady_time until) {
  if (size() >= most) {
    ++given_up_;
    return;
  }
  waiting_.push_back({std::move(org), std::move(what), until});
  if (!pausing_) send_due();
}

// An entry that fails goes to the end, so the entries are only nearly in order of their end.
void pending_voids::tick(steady_time now) {
  if (std::exchange(failed_, false)) resume_at_ = now + pause;
  if (!ledger_.ready()) resume_at_ = {};  // the pause is over when the store is back
  for (; !waiting_.empty() && waiting_.front().until <= now; waiting_.pop_front()) ++given_up_;
  pausing_ = now < resume_at_;
  if (!pausing_) send_due();
}

void pending_voids::send_due() {
  if (!ledger_.ready()) return;
  for (auto left = waiting_.size(); left > 0 && sent_ < most_at_once && !failed_; --left) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    send(std::move(next));
  }
}

void pending_voids::send(entry what) {
  ++sent_;
  const auto org = what.org;
  const auto operation = what.what;
  ledger_.submit(org, operation,
                 [this, entry = std::move(what)](result<quota::answer> reply) mutable {
                   --sent_;
                   if (reply) return;
                   failed_ = true;
                   waiting_.push_back(std::move(entry));
                 });
}

}  // namespace tollgate::proxy
