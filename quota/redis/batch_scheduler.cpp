#include "quota/redis/batch_scheduler.hpp"

#include <iterator>
#include <utility>

#include <hiredis/hiredis.h>

#include "quota/redis/batch.hpp"
#include "quota/redis/due_index.hpp"
#include "quota/redis/stored_time.hpp"
#include "quota/redis/usual_call.hpp"

namespace tollgate::quota::redis {

namespace {

// How long an account counts as unusual before the usual call is tried again, and the maximum
// number of such accounts.
constexpr milliseconds unusual_for{10'000};
constexpr std::size_t most_unusual = 10'000;

// Where an entry may be missing, the next operation notes it again.
class noted_reply final : public reply_sink {
 public:
  explicit noted_reply(std::shared_ptr<batch_scheduler> of) : of_{std::move(of)} {}
  void complete(error_code ec, const redisReply* reply) noexcept override {
    if (ec || reply->type == REDIS_REPLY_ERROR) of_->note_again();
  }

 private:
  std::shared_ptr<batch_scheduler> of_;
};

}  // namespace

batch_scheduler::batch_scheduler(connection& connection) : connection_{connection} {}
batch_scheduler::~batch_scheduler() = default;

void batch_scheduler::add(const org_id& org, const operation& operation, ledger::then then,
                          departure when) {
  auto& org_queue = org_queues_[org];
  auto& waiting = org_queue.waiting;
  const bool first = waiting.empty();
  if (first || waiting.back()->full()) waiting.push_back(make_batch(org));
  waiting.back()->add(operation, std::move(then));
  if (org_queue.on_its_way) return;  // its reply makes the next batch due
  if (first) due_.push_back(org);
  when == departure::at_once ? connection_.request_flush() : connection_.request_flush_soon();
}

std::unique_ptr<batch> batch_scheduler::make_batch(const org_id& org) {
  if (spare_.empty()) return std::make_unique<batch>(org, shared_from_this());
  auto next = std::move(spare_.back());
  spare_.pop_back();
  next->reset(org, shared_from_this());
  return next;
}

void batch_scheduler::recycle(std::unique_ptr<batch> done) {
  constexpr std::size_t most_spare = 2 * usual_call::max_batches;
  if (spare_.size() >= most_spare) return;
  done->reset({}, nullptr);
  spare_.push_back(std::move(done));
}

// Before the operations, in the same write: whatever happens next, somebody looks at the account
// later. GT: another thread may have promised to itself that the entry stays until its own time.
void batch_scheduler::note_in_index() {
  const auto now = clock().now();
  if (now - noted_since_ > look_after / 2 || now < noted_since_) {
    noted_.clear();
    noted_since_ = now;
  }
  std::vector<std::string> command;
  for (const auto& org : due_) {
    const auto& waiting = org_queues_[org].waiting;
    if (waiting.empty() || !waiting.front()->operations().may_leave_work()) continue;
    if (!noted_.insert(org).second) continue;
    if (command.empty()) command = {"ZADD", std::string{due_keys[0]}, "GT"};
    command.push_back(ms_text(now + look_after));
    command.push_back(org);
  }
  if (command.empty()) return;
  std::string encoded;
  append_command(encoded, command);
  connection_.send(encoded, std::make_unique<noted_reply>(shared_from_this()));
}

void batch_scheduler::leave() {
  while (!due_.empty()) {
    if (connection_.ready()) note_in_index();
    auto shared = std::make_unique<usual_call>(*this, hour_of(clock().now()));
    for (const auto& org : std::exchange(due_, {})) depart(org, shared);
    if (!shared->empty()) usual_call::send(std::move(shared));
  }
}

void batch_scheduler::depart(const org_id& org, std::unique_ptr<usual_call>& shared) {
  auto& org_queue = org_queues_[org];
  auto batch = std::move(org_queue.waiting.front());
  org_queue.waiting.erase(org_queue.waiting.begin());
  org_queue.on_its_way = true;
  if (!connection_.ready()) {
    batch->fail(store_errc::not_applied);
    return on_reply(org);
  }
  if (!batch->operations().is_usual(shared->hour()) || is_unusual(org))
    return batch::send(std::move(batch));
  shared->add(std::move(batch));
  if (!shared->full()) return;
  auto next = std::make_unique<usual_call>(*this, shared->hour());
  usual_call::send(std::exchange(shared, std::move(next)));
}

bool batch_scheduler::is_unusual(const org_id& org) {
  const auto now = clock().now();
  if (now - unusual_since_ > unusual_for || now < unusual_since_) {
    unusual_.clear();
    unusual_since_ = now;
  }
  return unusual_.contains(org);
}

void batch_scheduler::note_unusual(const org_id& org) {
  if (unusual_.size() < most_unusual) unusual_.insert(org);
}

void batch_scheduler::close() {
  due_.clear();
  std::vector<std::unique_ptr<batch>> waiting;
  for (auto& [org, org_queue] : org_queues_) {
    std::move(org_queue.waiting.begin(), org_queue.waiting.end(), std::back_inserter(waiting));
    org_queue.waiting.clear();
  }
  for (const auto& each : waiting) each->fail(store_errc::not_applied);
}

void batch_scheduler::on_reply(const org_id& org) {
  const auto org_queue = org_queues_.find(org);
  org_queue->second.on_its_way = false;
  if (org_queue->second.waiting.empty()) {
    org_queues_.erase(org_queue);
  } else {
    due_.push_back(org);
    connection_.request_flush();
  }
}

void batch_scheduler::tell_of(const ledger_answer& answer, const org_id& org) {
  if (answer.top_up_due() && on_top_up) on_top_up(org);
  if (answer.has_events() && on_event) on_event(org);
}

}  // namespace tollgate::quota::redis
