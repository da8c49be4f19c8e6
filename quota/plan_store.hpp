// The terms of plans that are in force. Plans are configuration, but all sidecars of a store share
// its accounts: so the store notes the terms, and a sidecar whose configuration says otherwise does
// not change them by itself.
#pragma once

#include <string>
#include <vector>

#include "quota/plan.hpp"
#include "quota/store_state.hpp"
#include "quota/task.hpp"

namespace tollgate::quota {

enum class plan_consent : std::uint8_t {
  needed,  // terms change only if all other sidecars have the same, or do not have the plan
  given,   // an administrator has confirmed them
};

struct presented_plans {
  std::vector<plan_terms> in_force;
  std::vector<std::string> unconfirmed;  // plans whose terms here are not in force
  std::vector<plan_terms> replaced;      // the terms before, of plans that changed now
};

class plan_store {
 public:
  virtual ~plan_store() = default;

  // Notes the plans of this sidecar. A plan that the store does not have takes effect at once.
  // No two sidecars have the same name; it is that of a former process only if that one has ended.
  // A sidecar that is not heard of for a minute has no say.
  virtual task<result<presented_plans>> present(std::string sidecar, std::vector<plan_terms> plans,
                                                plan_consent consent) = 0;
  // Why the store refused the last present(); ready: it did not.
  virtual store_state refused() const = 0;
  // This sidecar ends: the others need not agree with it any more.
  virtual task<result<void>> leave(std::string sidecar) = 0;
};

}  // namespace tollgate::quota
