// Limits the store to the configured retention: drops old ledger entries and aggregates usage. If
// there is a readable archive, only data that it has. All sidecars do so; repeating is harmless.
#pragma once

#include <atomic>

#include "config/settings.hpp"
#include "proxy/archive/archiver.hpp"

namespace tollgate::proxy::archive {

class retention_job {
 public:
  retention_job(quota::store& store, archiver& archiver, archived_accounts& accounts,
                const config::retention_settings& rules, const std::atomic<bool>& stopping)
      : store_{store},
        archiver_{archiver},
        accounts_{accounts},
        rules_{rules},
        stopping_{stopping} {}

  task<> run_once();

 private:
  task<bool> learn_what_is_kept(const quota::org_id& org, archived_account& account);
  task<> sum_up_days(const quota::org_id& org, archived_account& account);
  task<> drop_entries(const quota::org_id& org, archived_account& account);
  task<> drop_usage(const quota::org_id& org, archived_account& account);
  task<> coarsen_usage(const quota::org_id& org, archived_account& account);
  task<bool> coarsen(const quota::org_id& org, archived_account& account, quota::coarsening what);

  quota::store& store_;
  archiver& archiver_;
  archived_accounts& accounts_;
  const config::retention_settings rules_;
  const std::atomic<bool>& stopping_;
};

}  // namespace tollgate::proxy::archive
