// One call of the admin API, and the services it uses.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/load.hpp"
#include "proxy/net/api/message.hpp"
#include "proxy/webhooks/webhook_dispatcher.hpp"
#include "quota/account_history.hpp"
#include "quota/directory.hpp"
#include "quota/ledger.hpp"
#include "quota/webhook_store.hpp"

namespace tollgate::proxy::admin {

class plan_agreement;

// The services of the admin API. The store and the dispatcher are used on the control thread only.
struct admin_services {
  quota::ledger& ledger;
  quota::account_history& history;
  quota::directory& directory;
  quota::webhook_store& webhooks;
  webhooks::webhook_dispatcher& webhook_dispatcher;
  // The current configuration; a reload may change the token and the plans.
  std::function<std::shared_ptr<const config::configuration>()> configuration;
  plan_agreement* plans = nullptr;
};

struct admin_call {
  api_request request;
  quota::org_id org;
  std::string item;                          // the id after orgs/{org}/keys/ and similar paths
  std::string sub_item;                      // the id after orgs/{org}/webhooks/{id}/dead_letters/
  std::optional<quota::organization> found;  // empty for calls that need none
};

}  // namespace tollgate::proxy::admin
