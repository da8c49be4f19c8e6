// The archive in PostgreSQL. The first sidecar makes its tables:
//
//   tollgate_ledger     every entry; primary key (org, ms, number), the two halves of its id
//   tollgate_statement  one row per cycle, once nothing can change it
//   tollgate_usage      hourly counters by route, action, model, agent, conversation and key
//   tollgate_position   how far an organization's archive goes: read and moved in the transaction
//                       that adds, which makes every entry exact once
//   tollgate_store      one row: the id of the store that owns the archive
//   tollgate_lease      one row: the Tollgate that writes now
//
// It keeps nothing in a session: no lock, no setting. So it works through a pool that gives every
// transaction another one (PgBouncer's transaction mode).
//
// Credits are in micro-credits (bigint). Text that is not UTF-8 is repaired with U+FFFD.
#pragma once

#include <memory>
#include <string>

#include "proxy/archive/archive.hpp"
#include "proxy/archive/socket_guard.hpp"

namespace tollgate::proxy::archive {

// One connection, opened on demand and again after a failure. Used by one thread at a time.
class postgres_archive final : public archive {
 public:
  enum class access : std::uint8_t { read, write };
  using steady = std::chrono::steady_clock;
  static constexpr std::chrono::seconds longest_statement{15};
  postgres_archive(std::string url, access access,
                   std::chrono::seconds statement_limit = longest_statement);
  ~postgres_archive() override;

  bool lead() override;
  void leave() override;
  std::string store() override;
  // Both in one transaction.
  std::pair<std::string, position> store_and_position_of(const quota::org_id& org);
  void belong_to(const std::string& store) override;
  position position_of(const quota::org_id& org) override;
  bool add(const std::vector<batch>& batches) override;
  bool can_be_read() const override { return true; }
  void interrupt() override { guard_.interrupt(); }
  // All that is asked from now on fails at this time.
  void answer_by(steady::time_point time) { answer_by_ = time; }

  // Reads back entries after the id `after`, oldest first.
  std::vector<quota::ledger_entry> entries(const quota::org_id& org, const std::string& after,
                                           std::size_t limit);
  // Counters of the hours [first, last], late ones included.
  std::vector<quota::usage_counter> usage(const quota::org_id& org, std::int64_t first,
                                          std::int64_t last);

 private:
  struct connection;
  connection& connected();
  void prepare();
  void be_patient(std::chrono::seconds how_long);  // for the next statement, from now on
  // Runs `run` in a transaction. The connection is dropped if that throws.
  template <class Run>
  auto in_transaction(Run run);
  bool add_all(const std::vector<batch>& batches);

  const std::string url_;
  const access access_;
  const std::string limits_;  // of a transaction's statements, as SQL
  steady::time_point answer_by_ = steady::time_point::max();
  std::unique_ptr<connection> connection_;
  socket_guard guard_;
  bool prepared_ = false;
  const std::string holder_;  // the id of this writer
  struct lease {
    std::int64_t term = 0;  // 0: none
    std::chrono::steady_clock::time_point extend_at{};
  } lease_;
};

}  // namespace tollgate::proxy::archive
