// Plans are configuration: if their terms change in the file, every organization with such a plan
// gets the new terms with its next cycle, automatically. Until then its old terms apply.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "quota/account_history.hpp"
#include "quota/directory.hpp"
#include "quota/ledger.hpp"

namespace tollgate::proxy::admin {

// A walk over all organizations, in the order of their ids, and how far it has come.
struct terms_walk {
  std::shared_ptr<const config::configuration> configuration;  // whose terms they get
  quota::org_id after;  // the last organization that was visited
  bool visited_all = false;
  std::vector<quota::org_id> failed;  // visited, but the account could not be read or changed

  bool complete() const { return visited_all && failed.empty(); }
};

// Visits the next hundred organizations, or once more those that failed. False: the store is in
// trouble, or all of them failed again; to be repeated later, and the walk continues where it
// stopped. A walk that is begun again does no harm. The stores must outlive it.
task<bool> propagate_plan_terms(quota::ledger& ledger, quota::account_history& history,
                                quota::directory& directory, terms_walk& walk);

}  // namespace tollgate::proxy::admin
