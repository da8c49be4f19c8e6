// Which payment of a top-up its credits are for, by the payment endpoint's name for it. Same
// threading rules as ledger.
#pragma once

#include <string>

#include "quota/ids.hpp"
#include "quota/task.hpp"

namespace tollgate::quota {

class payment_store {
 public:
  virtual ~payment_store() = default;

  // To be asked before the ledger is told that the top-up was paid. The first payment that is
  // remembered counts, for good; the answer is the one that does.
  virtual task<result<std::string>> remember(const org_id& org, std::string top_up,
                                             std::string payment) = 0;
  // Empty: none was remembered; it is not paid, was paid by hand, or by a release that kept none.
  virtual task<result<std::string>> find(const org_id& org, std::string top_up) = 0;
};

}  // namespace tollgate::quota
