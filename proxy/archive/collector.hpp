// Collects the data of one organization that is not in the archive yet.
#pragma once

#include "proxy/archive/archive.hpp"
#include "quota/account_history.hpp"
#include "quota/retention.hpp"

namespace tollgate::proxy::archive {

class collector {
 public:
  // `with_usage`: the archive also takes usage counters.
  collector(quota::account_history& history, quota::retention_store& retention, bool with_usage)
      : history_{history}, retention_{retention}, with_usage_{with_usage} {}

  // The state of an organization, in addition to its position in the archive.
  struct progress {
    quota::time_point created_at;
    std::int64_t cycle = -1;      // the latest cycle with an entry
    bool statements_open = true;  // some statements may not be archived yet
  };

  // At most some thousands of entries and counters at once; `full` if more may follow.
  struct collected {
    batch what;
    bool full = false;
    // The store has dropped entries up to this one, and the archive does not have them: the archive
    // was replaced, or restored from an old backup. Then nothing is collected, because that would
    // hide the loss.
    std::optional<std::string> lost_through;
    // The store does not have the archive's last entry: it was restored from an older copy, or is
    // another store. Nothing is collected then, either.
    bool store_is_behind = false;
    // The progress once this has been added.
    progress reached;
  };
  task<result<collected>> collect(quota::org_id org, position from, progress so_far);

 private:
  // More recent entries wait: a store that fails may lose its last writes, and an archive keeps
  // them.
  static constexpr quota::milliseconds settling_time{2'000};
  static constexpr std::size_t entries_at_once = 4'000;
  // Hours with many counters are read one by one, others several at once.
  static constexpr std::int64_t hours_at_once = 24 * 7, hours_a_read = 24;
  static constexpr std::size_t counters_at_once = 20'000, many_counters = 1'000;

  task<result<void>> add_entries(collected& found, const std::string& dropped_through);
  task<result<void>> add_statements(batch& into, progress& so_far);
  task<result<void>> add_usage(batch& into, const progress& so_far, std::int64_t first_detailed,
                               bool& full);
  task<result<std::string>> statement_json(quota::org_id org, quota::statement statement);

  task<result<void>> add_hours(batch& into, std::int64_t first_detailed, std::int64_t to);

  quota::account_history& history_;
  quota::retention_store& retention_;
  const bool with_usage_;
};

}  // namespace tollgate::proxy::archive
