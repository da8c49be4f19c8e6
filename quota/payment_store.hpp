// Records which payment of a top-up its credits are for, by the payment endpoint's id for it. Same
// threading rules as ledger.
#pragma once

#include <string>

#include "quota/ids.hpp"
#include "quota/task.hpp"

namespace tollgate::quota {

class payment_store {
 public:
  virtual ~payment_store() = default;

  // Call this before telling the ledger that the top-up was paid. The first payment remembered is
  // final; the answer is that payment.
  virtual task<result<std::string>> remember(const org_id& org, std::string top_up,
                                             std::string payment) = 0;
  // Empty: none was remembered. The top-up is not paid, was paid by hand, or by a release that
  // recorded none.
  virtual task<result<std::string>> find(const org_id& org, std::string top_up) = 0;
};

}  // namespace tollgate::quota
