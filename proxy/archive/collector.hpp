// Gathers what an archive does not have yet of one organization.
#pragma once

#include "proxy/archive/archive.hpp"
#include "quota/account_history.hpp"
#include "quota/retention.hpp"

namespace tollgate::proxy::archive {

class collector {
 public:
  // `with_usage`: the archive takes counters of usage, too.
  collector(quota::account_history& history, quota::retention_store& retention, bool with_usage)
      : history_{history}, retention_{retention}, with_usage_{with_usage} {}

  // What is done for an organization, beside how far its archive goes.
  struct progress {
    quota::time_point created_at;
    std::int64_t cycle = -1;      // the latest that an entry was seen of
    bool statements_open = true;  // there may be some that are not in the archive
  };

  // At most some thousands of entries and counters at once: `full` when more may be waiting.
  struct collected {
    batch what;
    bool full = false;
    // The store has dropped entries up to this one, and the archive does not have them: it has
    // been replaced, or brought back from an old backup. Nothing is collected then, which would
    // hide it.
    std::optional<std::string> lost_through;
    // The store does not have the last entry of the archive: it was brought back from an older
    // copy, or is another one. Nothing is collected then, either.
    bool store_is_behind = false;
    // What the progress is when this has been added.
    progress reached;
  };
  task<result<collected>> collect(quota::org_id org, position from, progress so_far);

 private:
  // Younger entries wait: a store that fails may lose what it wrote last, and an archive never
  // forgets.
  static constexpr quota::milliseconds settling_time{2'000};
  static constexpr std::size_t entries_at_once = 4'000;
  // Hours are read one by one where they are full, many at once where there is little in them.
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
