// Processes what becomes due in accounts that are not in use: holds left by other sidecars that
// died, grants and cycles that end, top-ups that nobody delivers. Accounts in use process all but
// the last by themselves.
#pragma once

#include <functional>

#include "config/settings.hpp"
#include "proxy/metrics/cells.hpp"
#include "quota/store.hpp"

namespace tollgate::proxy {

class sweeper {
 public:
  using settings = std::function<config::hold_settings()>;  // the settings in force

  sweeper(io_executor executor, quota::store& store, settings settings,
          quota::ledger::top_up_listener on_top_up, metrics::counter& expired_micro)
      : executor_{std::move(executor)},
        store_{store},
        settings_{std::move(settings)},
        on_top_up_{std::move(on_top_up)},
        expired_micro_{expired_micro} {}

  task<> run();  // until stop()
  void stop() { stopped_ = true; }

 private:
  task<bool> sweep_all(bool clock_set_back);
  task<bool> sweep_account(const quota::org_id& org, bool clock_set_back);

  io_executor executor_;
  quota::store& store_;
  settings settings_;
  quota::ledger::top_up_listener on_top_up_;
  metrics::counter& expired_micro_;
  bool stopped_ = false;
};

}  // namespace tollgate::proxy
