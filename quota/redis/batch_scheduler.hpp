// Decides when operations are sent to Redis, and which are sent together.
//
// An organization has one batch in flight at a time; operations that are issued meanwhile wait for
// the next batch. So a call costs less the busier its organization is, here and in Redis, and an
// organization's operations keep their order. Everything that is ready at the end of a turn of the
// event loop is sent in one write, and usual batches of many organizations in one FCALL
// (usual_call.hpp).
#pragma once

#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "quota/ledger.hpp"
#include "quota/redis/connection.hpp"
#include "quota/redis/ledger_protocol.hpp"

namespace tollgate::quota::redis {

inline constexpr milliseconds default_look_after{15'000};

class batch;
class usual_call;

class batch_scheduler : public std::enable_shared_from_this<batch_scheduler> {
 public:
  // `soon` is for operations whose answer no caller waits for: they are sent with the next
  // operation, or alone after connection::max_linger.
  enum class departure : std::uint8_t { at_once, soon };

  explicit batch_scheduler(connection& connection);
  ~batch_scheduler();

  void add(const org_id& org, const operation& operation, ledger::then then, departure when);
  // At the end of a turn: sends every batch that may be sent.
  void leave();

  // Nothing is sent any more: waiting operations fail.
  void close();

  // A batch has been answered, or has failed.
  void on_reply(const org_id& org);
  // Keeps an answered batch, with its memory, for the next organization.
  void recycle(std::unique_ptr<batch> done);
  // The account was not usual: for a while its batches are sent in calls of their own.
  void note_unusual(const org_id& org);
  // Entries in the index may be missing.
  void note_again() { noted_.clear(); }
  void tell_of(const ledger_answer& answer, const org_id& org);

  connection& by() { return connection_; }
  store_clock& clock() { return connection_.clock(); }

  std::string rules = rules_text(default_pack_after_hours);
  // An account is looked at this long after its operations, unless there are more.
  milliseconds look_after = default_look_after;
  ledger::top_up_listener on_top_up;
  ledger::event_listener on_event;

 private:
  struct org_queue {
    std::vector<std::unique_ptr<batch>> waiting;  // nearly always one
    bool on_its_way = false;
  };

  std::unique_ptr<batch> make_batch(const org_id& org);
  void note_in_index();
  void depart(const org_id& org, std::unique_ptr<usual_call>& shared);
  bool is_unusual(const org_id& org);

  connection& connection_;
  std::unordered_map<org_id, org_queue> org_queues_;
  std::vector<org_id> due_;  // they have a batch waiting and none in flight
  std::vector<std::unique_ptr<batch>> spare_;
  std::unordered_set<org_id> unusual_;
  time_point unusual_since_{};
  // The organizations that this thread has noted in the index of what is due (due_index.hpp), for
  // at least half of `look_after` from now. So a busy organization costs one write in that time.
  std::unordered_set<org_id> noted_;
  time_point noted_since_{};
};

}  // namespace tollgate::quota::redis
