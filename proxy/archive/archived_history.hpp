// The history of an account beyond what the store retains: older data is read from the archive.
// Before any read it checks that the archive belongs to this store (archive_errc).
#pragma once

#include <chrono>
#include <utility>

#include "proxy/account/archive_error.hpp"
#include "proxy/archive/archive_reader.hpp"
#include "quota/account_history.hpp"
#include "quota/retention.hpp"

namespace tollgate::proxy::archive {

class archived_history final : public quota::account_history {
 public:
  archived_history(quota::account_history& recent, quota::retention_store& retention,
                   archive_reader& archive)
      : recent_{recent}, retention_{retention}, archive_{archive} {}

  task<result<std::vector<quota::ledger_entry>>> entries(const quota::org_id& org,
                                                         std::string after,
                                                         std::size_t limit) override;
  task<result<std::vector<quota::usage_counter>>> usage(const quota::org_id& org,
                                                        std::int64_t first_hour,
                                                        std::int64_t last_hour) override;

  task<result<void>> each_usage(const quota::org_id& org, std::int64_t first_hour,
                                std::int64_t last_hour, counter_taker take) override;

  // The store keeps all of these as long as the account exists.
  task<result<quota::account_snapshot>> snapshot(const quota::org_id& org) override {
    return recent_.snapshot(org);
  }
  task<result<quota::account_snapshot>> snapshot_without_holds(const quota::org_id& org) override {
    return recent_.snapshot_without_holds(org);
  }
  task<result<std::vector<quota::grant_record>>> grants(const quota::org_id& org) override {
    return recent_.grants(org);
  }
  task<result<std::vector<quota::usage_counter>>> usage_summary(const quota::org_id& org,
                                                                std::int64_t first_hour,
                                                                std::int64_t last_hour) override {
    return recent_.usage_summary(org, first_hour, last_hour);
  }
  task<result<void>> each_usage_summary(const quota::org_id& org, std::int64_t first_hour,
                                        std::int64_t last_hour, counter_taker take) override {
    return recent_.each_usage_summary(org, first_hour, last_hour, std::move(take));
  }
  task<result<std::vector<quota::usage_counter>>> hourly_usage(const quota::org_id& org,
                                                               std::int64_t first_hour,
                                                               std::int64_t last_hour) override {
    return recent_.hourly_usage(org, first_hour, last_hour);
  }
  task<result<std::vector<quota::usage_counter>>> summed_usage(const quota::org_id& org,
                                                               std::int64_t first_hour,
                                                               std::int64_t last_hour) override {
    return recent_.summed_usage(org, first_hour, last_hour);
  }
  task<result<std::vector<quota::usage_counter>>> late_usage(const quota::org_id& org,
                                                             std::int64_t first_hour,
                                                             std::int64_t last_hour) override {
    return recent_.late_usage(org, first_hour, last_hour);
  }
  task<result<std::string>> usage_generation(const quota::org_id& org, std::int64_t first_hour,
                                             std::int64_t last_hour) override {
    return recent_.usage_generation(org, first_hour, last_hour);
  }
  // The database has everything that the store has dropped.
  task<result<std::int64_t>> callers_known_from(const quota::org_id&) override { co_return 0; }
  task<result<std::vector<quota::cycle_record>>> cycles(const quota::org_id& org) override {
    return recent_.cycles(org);
  }
  task<result<std::vector<quota::top_up_record>>> top_ups(const quota::org_id& org) override {
    return recent_.top_ups(org);
  }
  task<result<std::vector<quota::account_event>>> events(const quota::org_id& org,
                                                         std::string after,
                                                         std::size_t limit) override {
    return recent_.events(org, std::move(after), limit);
  }
  task<result<quota::account_changes>> changes(
      const quota::org_id& org, std::optional<quota::stream_positions> after,
      std::optional<quota::stream_positions> until) override {
    return recent_.changes(org, std::move(after), std::move(until));
  }
  // Event streams only report what is in the store.
  task<result<quota::account_gap>> gap_behind(const quota::org_id& org,
                                              quota::stream_positions after,
                                              quota::time_point told_from) override {
    return recent_.gap_behind(org, std::move(after), told_from);
  }
  quota::time_point now() const override { return recent_.now(); }

 private:
  struct agreement {
    quota::retained from;  // what the store still has
    std::int64_t archived_hour = 0;
  };
  task<result<agreement>> agreed(quota::org_id org);
  error_code refuse(const quota::org_id& org, archive_errc why);
  task<result<std::vector<quota::usage_counter>>> older_usage(const quota::org_id& org,
                                                              std::int64_t first_hour,
                                                              std::int64_t last_hour);

  quota::account_history& recent_;
  quota::retention_store& retention_;
  archive_reader& archive_;
  std::pair<quota::org_id, archive_errc> refused_;  // the last one logged
  std::chrono::steady_clock::time_point say_again_at_{};
};

}  // namespace tollgate::proxy::archive
