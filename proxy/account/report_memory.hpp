// The memory of reports, which is taken from `limits.buffered` as bodies are, with the same share
// for each organization.
#pragma once

#include "proxy/net/api/message.hpp"
#include "proxy/net/memory_budget.hpp"
#include "quota/read_budget.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::admin {

// For what a store keeps while it reads.
class report_memory final : public quota::read_budget {
 public:
  explicit report_memory(memory_budget& budget = memory_budget::shared()) : budget_{budget} {}

  // The instance of this process.
  static report_memory& shared();

  bool take(const quota::org_id& org, std::size_t bytes) override {
    return budget_.take_share(org, bytes, 0) == memory_outcome::taken;
  }
  void give_back(const quota::org_id& org, std::size_t bytes) override {
    budget_.give_back_share(org, bytes);
  }
  // Of one report, for the page that it collects and for its text until that is known.
  std::size_t a_page() const;

 private:
  memory_budget& budget_;
};

// Runs a report. While there is no memory for it, its answer is 503 `overloaded`, also if the
// process has none. The answer keeps the memory of its text.
task<api_response> bound_report(report_memory& memory, quota::org_id org, std::string request_id,
                                task<api_response> report);

}  // namespace tollgate::proxy::admin
