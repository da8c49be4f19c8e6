// Processes what becomes due in accounts that are not in use: holds left by other sidecars that
// died, grants and cycles that end, top-ups that nobody delivers. Accounts in use process all but
// the last by themselves.
//
// Which accounts are due stands in the store's index (quota/due_index.hpp). Walks over all
// organizations fill and repair it: one at the start and whenever the store's clock was set back,
// and a slow one, by one sidecar, every hour.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "proxy/metrics/cells.hpp"
#include "quota/store.hpp"

namespace tollgate::proxy {

class sweeper {
 public:
  struct rules {
    config::hold_settings holds;
    bool delivers_top_ups = true;  // has a payment endpoint; others leave them to those who have
  };
  using rules_in_force = std::function<rules()>;

  sweeper(io_executor executor, quota::store& store, rules_in_force rules,
          quota::ledger::top_up_listener on_top_up, metrics::counter& expired_micro)
      : executor_{std::move(executor)},
        store_{store},
        rules_{std::move(rules)},
        on_top_up_{std::move(on_top_up)},
        expired_micro_{expired_micro} {}

  // Called for an account that had operations a short while ago: another sidecar may have ended
  // before it delivered their events.
  using look_listener = std::function<void(const quota::org_id&)>;
  void on_look(look_listener listener) { on_look_ = std::move(listener); }

  task<> run();  // until stop()
  void stop() { stopped_ = true; }

 private:
  // False: not all; the store became unavailable.
  task<bool> sweep_due();
  task<bool> walk(bool clock_set_back);
  task<bool> walk_page(std::string& after, bool clock_set_back);
  task<> walk_slowly();
  // Empty: the store is unavailable.
  task<std::optional<quota::account_look>> look_at(quota::due_account account, bool clock_set_back);

  io_executor executor_;
  quota::store& store_;
  rules_in_force rules_;
  quota::ledger::top_up_listener on_top_up_;
  look_listener on_look_;
  metrics::counter& expired_micro_;
  std::optional<std::string> slow_walk_;  // under way: after this organization
  int rounds_until_claim_ = 0;
  bool stopped_ = false;
};

}  // namespace tollgate::proxy
