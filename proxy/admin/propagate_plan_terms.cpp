#include "proxy/admin/propagate_plan_terms.hpp"

#include <spdlog/spdlog.h>

#include "proxy/admin/org_request.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t organizations_at_once = 100;

// A change to another plan is an administrator's call, which passes it on itself; this is about the
// same plan with other terms.
bool are_news(const quota::plan_terms& terms, const quota::account_plan& plan) {
  const auto& agreed = plan.next_terms ? *plan.next_terms : plan.terms;
  return agreed.plan == terms.plan && agreed != terms;
}

// False: the store is unavailable.
task<bool> propagate(quota::ledger& ledger, quota::account_history& history,
                     const quota::organization& org, const quota::plan_terms& terms) {
  const auto current = co_await quota::bring_up_to_date(ledger, org.id);
  if (!current) co_return false;
  const auto account = co_await history.snapshot_without_holds(org.id);
  if (!account) co_return false;
  if (!account->plan || !are_news(terms, *account->plan)) co_return true;
  quota::configure what;
  what.terms = terms;
  what.at_once = false;
  what.options = account->plan->options;
  const quota::operation operation{std::move(what)};
  const auto answer = co_await ledger.apply(org.id, operation);
  if (answer && answer->result == quota::outcome::configured) {
    spdlog::info("organization {}: the new terms of plan {} take effect with its next cycle",
                 org.id, terms.plan);
  } else if (answer) {
    spdlog::error("organization {}: the new terms of plan {} do not take effect: {}", org.id,
                  terms.plan, to_string(answer->result));
  }
  co_return answer.has_value();
}

}  // namespace

task<> propagate_plan_terms(quota::ledger& ledger, quota::account_history& history,
                            quota::directory& directory,
                            std::shared_ptr<const config::configuration> configuration) {
  std::string after;
  for (;;) {
    const auto page = co_await directory.list(after, organizations_at_once);
    if (!page || page->empty()) co_return;
    for (const auto& org : *page) {
      const auto terms = resolve_terms(org, configuration->values);
      if (!terms) continue;
      const bool reached = co_await propagate(ledger, history, org, *terms);
      if (!reached) co_return;
    }
    after = page->back().id;
  }
}

}  // namespace tollgate::proxy::admin
