#include "proxy/admin/propagate_plan_terms.hpp"

#include <utility>

#include <spdlog/spdlog.h>

#include "proxy/admin/org_request.hpp"
#include "quota/store_error.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t organizations_at_once = 100;

// A change to another plan is an administrator's call, which passes it on itself; this is about the
// same plan with other terms.
bool are_news(const quota::plan_terms& terms, const quota::account_plan& plan) {
  const auto& agreed = plan.next_terms ? *plan.next_terms : plan.terms;
  return agreed.plan == terms.plan && agreed != terms;
}

struct stores {
  quota::ledger& ledger;
  quota::account_history& history;
  quota::directory& directory;
};

// An error: the organization may not have its terms.
task<error_code> propagate(stores& all, const quota::organization& org,
                           const quota::plan_terms& terms) {
  const auto current = co_await quota::bring_up_to_date(all.ledger, org.id);
  if (!current) co_return current.error();
  const auto account = co_await all.history.snapshot_without_holds(org.id);
  if (!account) co_return account.error();
  if (!account->plan || !are_news(terms, *account->plan)) co_return error_code{};
  quota::configure what;
  what.terms = terms;
  what.at_once = false;
  what.options = account->plan->options;
  const quota::operation operation{std::move(what)};
  const auto answer = co_await all.ledger.apply(org.id, operation);
  if (!answer) co_return answer.error();
  if (answer->result == quota::outcome::configured) {
    spdlog::info("organization {}: the new terms of plan {} take effect with its next cycle",
                 org.id, terms.plan);
  } else {
    spdlog::error("organization {}: the new terms of plan {} do not take effect: {}", org.id,
                  terms.plan, to_string(answer->result));
  }
  co_return error_code{};
}

// False: the store is in trouble. An organization that this version cannot read does not keep the
// others from their terms.
task<bool> visit(stores& all, const quota::org_id& id, terms_walk& walk) {
  error_code error;
  const auto org = co_await all.directory.find(id);
  if (!org) {
    error = org.error();
  } else if (*org) {
    const auto terms = resolve_terms(**org, walk.configuration->values);
    if (!terms) co_return true;
    error = co_await propagate(all, **org, *terms);
  }
  if (error && error != quota::store_errc::protocol) co_return false;
  if (error) walk.failed.push_back(id);
  co_return true;
}

task<bool> visit_next(stores& all, terms_walk& walk) {
  const auto page = co_await all.directory.ids(walk.after, organizations_at_once);
  if (!page) co_return false;
  for (const auto& org : *page) {
    const auto failed = walk.failed.size();
    const bool visited = co_await visit(all, org, walk);
    if (!visited) co_return false;
    if (walk.failed.size() > failed) {
      spdlog::error(
          "organization {}: its account cannot be read or changed; until it can be, it is unknown "
          "whether it has the terms of its plan",
          org);
    }
    walk.after = org;
  }
  walk.visited_all = page->size() < organizations_at_once;
  co_return true;
}

task<bool> visit_failed(stores& all, terms_walk& walk) {
  const auto before = std::exchange(walk.failed, {});
  for (auto org = before.begin(); org != before.end(); ++org) {
    const bool visited = co_await visit(all, *org, walk);
    if (visited) continue;
    walk.failed.insert(walk.failed.end(), org, before.end());
    co_return false;
  }
  co_return walk.failed.size() < before.size();
}

}  // namespace

task<bool> propagate_plan_terms(quota::ledger& ledger, quota::account_history& history,
                                quota::directory& directory, terms_walk& walk) {
  stores all{ledger, history, directory};
  const bool failed_first = walk.visited_all || walk.failed.size() >= organizations_at_once;
  if (!failed_first) co_return co_await visit_next(all, walk);
  if (walk.failed.empty()) co_return true;
  co_return co_await visit_failed(all, walk);
}

}  // namespace tollgate::proxy::admin
