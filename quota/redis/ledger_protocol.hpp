// The wire protocol of the ledger's library: turns a batch of operations into one FCALL, and its
// reply into answers. No I/O. quota/ledger/README.md describes both formats.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quota/ledger/operation.hpp"
#include "quota/task.hpp"

namespace tollgate::quota::redis {

// `tollgate:{ORG}:PART`. The braces make the organization the hash tag: all its keys share one
// slot.
std::string key_of(std::string_view org, std::string_view part);

// Totals of limits that were idle for this many hours are packed
// (ledger/scripts/packed_totals.lua).
inline constexpr std::int64_t default_pack_after_hours = 24 * 30;

// What a sidecar's configuration says to the ledger, as it stands in every call.
std::string rules_text(std::int64_t pack_after_hours, const critical_terms& critical = {});

// The operations of one organization that are applied in one call, in order.
class ledger_batch {
 public:
  // Bounds how long one call blocks Redis for others, and the number of arguments of one Lua call.
  static constexpr std::size_t max_operations = 256;

  // Encodes all of `operation` now; keeps no reference to it.
  void add(const operation& operation);
  // Adds the `resolved` key of `hour` to the call; the library asks for it with `again`.
  void name_hour(std::int64_t hour);
  void clear();

  std::size_t size() const { return operations_; }
  bool full() const { return operations_ >= max_operations; }

  // A settlement, a reservation, or a settlement and then a reservation, with ids of this hour: for
  // most accounts nothing else is due.
  bool is_usual(std::int64_t hour) const;
  // Whether something may be due afterwards that was not before: expire_holds only takes away.
  bool may_leave_work() const { return may_leave_work_; }

  // Appends the whole command. `usage_hour` is the store's hour, as far as the client knows.
  // `rules` is a rules_text().
  void append_call(std::string& out, std::string_view function, std::string_view org,
                   std::int64_t usage_hour, std::string_view rules) const;

 private:
  friend class usual_arguments;
  void note_shape(const operation& operation);
  void encode(const reserve&);
  void encode(const extend&);
  void encode(const release&);
  void encode(const settle&);
  void encode(const void_hold&);
  void encode(const expire_holds&);
  void encode(const grant&);
  void encode(const configure&);
  void encode(const request_top_up&);
  void encode(const lease_top_up&);
  void encode(const resolve_top_up&);
  void encode(const take_back_top_up&);

  void argument(std::string_view text);
  void argument(std::int64_t number);
  void about(const hold_id& id);  // the id, and the key of its resolution

  std::string ids_, arguments_;  // encoded
  std::size_t id_count_ = 0, argument_count_ = 0, operations_ = 0;
  bool usual_ = true, settles_ = false;  // of all operations so far; of the first
  bool may_leave_work_ = false;
  std::vector<std::int64_t> hours_;  // one per `resolved` key, in the order of KEYS
};

// The usual batches of many organizations (usual_call.hpp), as one command.
class usual_arguments {
 public:
  explicit usual_arguments(std::int64_t hour);
  void add(std::string_view org, const ledger_batch& batch);
  std::string call(std::string_view function) const;

 private:
  std::string hour_, keys_, arguments_;  // the latter two encoded
  std::size_t key_count_ = 0, argument_count_ = 1;
};

// Reads the library's answer, which may contain anything.
class ledger_answer {
 public:
  explicit ledger_answer(std::string_view text);

  bool valid() const { return valid_; }
  time_point store_time() const { return store_time_; }
  // Nothing was applied: correct the clock, name these hours as well, and send again.
  bool again() const { return again_; }
  std::vector<std::int64_t> missing_hours();
  // One of the operations has left a top-up to be delivered.
  bool top_up_due() const { return top_up_due_; }
  // An event was written to the stream of events.
  bool has_events() const { return has_events_; }
  // The answer to the next operation.
  result<answer> next();

 private:
  bool take_mark(std::string_view mark);
  bool read(std::int64_t& number);
  bool read_rate(answer& reply);
  bool read_charged(answer& reply);
  bool read_obstacle(answer& reply);
  bool read_list(std::span<std::int64_t> numbers);

  std::string_view rest_;
  time_point store_time_;
  bool valid_ = false;
  bool again_ = false;
  bool top_up_due_ = false;
  bool has_events_ = false;
};

}  // namespace tollgate::quota::redis
