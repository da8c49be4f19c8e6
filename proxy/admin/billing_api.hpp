// What one organization may read of its own account. The data listener serves it to the customer
// under the billing prefix, always with the organization that the caller's own key belongs to; the
// admin listener serves it for any organization.
#pragma once

#include "proxy/admin/message.hpp"
#include "quota/ledger_store.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::admin {

class billing_api {
 public:
  explicit billing_api(quota::ledger_store& ledger) : ledger_{ledger} {}

  // `request.path` is what follows the prefix: "/balance", "/usage" or "/ledger". Everything else
  // is 404, and methods other than GET and HEAD are 405.
  task<api_response> handle(quota::org_id org, api_request request);

  task<api_response> balance(quota::org_id org, api_request request);
  task<api_response> usage(quota::org_id org, api_request request);
  task<api_response> entries(quota::org_id org, api_request request);
  task<api_response> holds(quota::org_id org, api_request request);
  task<api_response> grants(quota::org_id org, api_request request);

 private:
  quota::ledger_store& ledger_;
};

// {"id","credits","kind","note","created_at","expires_at"}: also the answer to POST grants.
std::string grant_json(const quota::grant_record& grant);

}  // namespace tollgate::proxy::admin
