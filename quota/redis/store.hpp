// The ledger in Redis. Operations are sent in batches (batch_scheduler.hpp).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "quota/account_history.hpp"
#include "quota/ledger.hpp"
#include "quota/read_budget.hpp"
#include "quota/redis/connection.hpp"
#include "quota/store_access.hpp"

namespace tollgate::quota::redis {

class batch_scheduler;

// A connection that loads the ledger's library into its store before it counts as ready, unless it
// only reads.
std::unique_ptr<connection> make_store_connection(asio::io_context& context, const address& where,
                                                  connection_options options = {},
                                                  store_access access = store_access::read_write);

class redis_store final : public ledger, public account_history {
 public:
  // Registers itself with the connection, which must outlive it.
  explicit redis_store(connection& connection);
  ~redis_store() override;
  // Totals of limits whose member was idle for this long are packed; rounded to hours.
  void use_rules(milliseconds pack_idle_totals, const critical_terms& critical);
  // See batch_scheduler.
  void look_after(milliseconds time);
  // What bounds the memory of reports; nothing, if it is not called. It must outlive this.
  void use_memory(read_budget* memory) { memory_ = memory; }
  redis_store(const redis_store&) = delete;

  task<result<answer>> apply(const org_id& org, const operation& operation) override;
  void submit(const org_id& org, const operation& operation, then then) override;
  task<result<account_snapshot>> snapshot(const org_id& org) override;
  task<result<account_snapshot>> snapshot_without_holds(const org_id& org) override;
  task<result<std::vector<ledger_entry>>> entries(const org_id& org, std::string after,
                                                  std::size_t limit) override;
  task<result<std::vector<grant_record>>> grants(const org_id& org) override;
  task<result<std::vector<usage_counter>>> usage(const org_id& org, std::int64_t first_hour,
                                                 std::int64_t last_hour) override;
  task<result<void>> each_usage(const org_id& org, std::int64_t first_hour, std::int64_t last_hour,
                                counter_taker take) override;
  task<result<std::vector<usage_counter>>> usage_summary(const org_id& org, std::int64_t first_hour,
                                                         std::int64_t last_hour) override;
  task<result<void>> each_usage_summary(const org_id& org, std::int64_t first_hour,
                                        std::int64_t last_hour, counter_taker take) override;
  task<result<std::vector<cycle_record>>> cycles(const org_id& org) override;
  task<result<std::vector<top_up_record>>> top_ups(const org_id& org) override;
  task<result<pending_work>> pending(const org_id& org) override;
  task<result<credits>> spendable(const org_id& org) override;
  task<result<std::vector<account_event>>> events(const org_id& org, std::string after,
                                                  std::size_t limit) override;
  task<result<account_changes>> changes(const org_id& org, std::optional<stream_positions> after,
                                        std::optional<stream_positions> until) override;
  task<result<account_gap>> gap_behind(const org_id& org, stream_positions after,
                                       time_point told_from) override;

  task<result<std::string>> usage_generation(const org_id& org, std::int64_t first_hour,
                                             std::int64_t last_hour) override;
  task<result<std::int64_t>> callers_known_from(const org_id& org) override;
  task<result<std::vector<usage_counter>>> hourly_usage(const org_id& org, std::int64_t first_hour,
                                                        std::int64_t last_hour) override;
  task<result<std::vector<usage_counter>>> summed_usage(const org_id& org, std::int64_t first_hour,
                                                        std::int64_t last_hour) override;
  task<result<std::vector<usage_counter>>> late_usage(const org_id& org, std::int64_t first_hour,
                                                      std::int64_t last_hour) override;

  void on_top_up(top_up_listener listener) override;
  void on_event(event_listener listener) override;
  time_point now() const override;
  bool ready() const override { return connection_.ready(); }

 private:
  task<result<account_snapshot>> take_snapshot(const org_id& org, std::string_view script);
  // Reads the fields and values of a hash with `parse(field, value)`.
  template <class T, class Parse>
  task<result<std::vector<T>>> read_hash(const org_id& org, std::string_view part, Parse parse);

  // Usage: store_usage.cpp.
  struct hours_taker;
  struct sized_hours;
  task<result<void>> read_hours(const org_id& org, std::vector<std::int64_t> all, hours_taker take);
  task<result<void>> read_small_hours(const org_id& org, sized_hours some, const hours_taker& take);
  task<result<void>> read_large_hour(const org_id& org, sized_hours one, const hours_taker& take);
  using summary_taker = std::function<void(std::int64_t day, std::string_view text)>;
  task<result<void>> read_summaries(const org_id& org, std::int64_t first_day, std::int64_t count,
                                    const summary_taker& take);
  task<result<void>> each_late(const org_id& org, std::int64_t first_hour, std::int64_t last_hour,
                               counter_taker take, read_loan& memory);
  task<result<void>> each_summed(const org_id& org, std::int64_t first_hour, std::int64_t last_hour,
                                 counter_taker take);
  // Sums up days that have no stored summary, and stores the sums of days that are over.
  task<result<void>> sum_up(const org_id& org, std::vector<std::int64_t> days,
                            std::int64_t first_hour, std::int64_t last_hour,
                            const counter_taker& take);

  connection& connection_;
  read_budget* memory_ = nullptr;
  std::shared_ptr<batch_scheduler> batch_scheduler_;
};

}  // namespace tollgate::quota::redis
