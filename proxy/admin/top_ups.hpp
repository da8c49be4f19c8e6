// Buys credits by hand, and reports the outcome of a payment.
#pragma once

#include "proxy/admin/admin_call.hpp"

namespace tollgate::proxy::admin {

class top_up_endpoints {
 public:
  explicit top_up_endpoints(const admin_services& services) : services_{services} {}

  task<api_response> buy(admin_call call);
  task<api_response> resolve(admin_call call);

 private:
  task<api_response> show(quota::org_id org, std::string id, bool repeated, int status,
                          std::string request_id);

  const admin_services& services_;
};

}  // namespace tollgate::proxy::admin
