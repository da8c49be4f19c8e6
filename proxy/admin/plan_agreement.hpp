// Which terms of plans this sidecar uses: those in force in the store (quota/plan_store.hpp), which
// are those of its configuration unless another sidecar has others. Presents the configuration to
// the store, and gives new terms to every organization with the plan.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "proxy/admin/propagate_plan_terms.hpp"
#include "quota/plan_store.hpp"
#include "quota/store.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::admin {

class plan_agreement {
 public:
  using configuration_ptr = std::shared_ptr<const config::configuration>;

  // `sidecar` names this one among those that share the store.
  plan_agreement(io_executor executor, quota::store& store, std::string sidecar,
                 configuration_ptr own);

  task<> run();  // until stop()
  void stop() { stopped_ = true; }
  void use(configuration_ptr own);

  // This sidecar's configuration, with the plans that are in force.
  const configuration_ptr& in_force() const { return in_force_; }
  const config::configuration& own() const { return *own_; }
  // Whether the store has been asked. Until then the configuration's own terms count.
  bool knows() const { return knows_; }
  // Why not.
  quota::store_trouble trouble() const {
    return refused_.ready() ? quota::store_trouble::connecting : refused_.trouble;
  }
  // Plans of the configuration whose terms are not in force.
  const std::vector<std::string>& unconfirmed() const { return unconfirmed_; }
  // Whether there may be organizations that do not know of the terms in force yet.
  bool pending() const { return walk_.configuration != in_force_ || !walk_.complete(); }

  // Puts the terms of this configuration into force, for all sidecars.
  task<result<void>> apply();
  // The process ends.
  task<> leave();

 private:
  task<result<void>> present(quota::plan_consent consent);
  void bring_up_to_date();
  task<> propagate();
  void say(const quota::presented_plans& found);
  void note_refusal(quota::store_state next);

  io_executor executor_;
  quota::store& store_;
  const std::string sidecar_;
  configuration_ptr own_, in_force_;
  std::vector<std::string> unconfirmed_;
  std::vector<quota::plan_terms> known_;  // the terms in force when they were last heard of
  quota::store_state refused_{quota::store_trouble::none, {}};  // by the store, the last time
  terms_walk walk_;
  std::chrono::steady_clock::time_point walk_at_{};
  bool interrupted_ = false;  // the walk met trouble; that has been logged
  bool knows_ = false, present_now_ = true, stopped_ = false;
};

}  // namespace tollgate::proxy::admin
