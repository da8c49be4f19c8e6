// Grants credits, once per idempotency key.
#pragma once

#include "proxy/admin/admin_call.hpp"

namespace tollgate::proxy::admin {

class grant_endpoints {
 public:
  explicit grant_endpoints(const admin_services& services) : services_{services} {}

  task<api_response> create(admin_call call);

 private:
  task<api_response> show(quota::org_id org, quota::grant grant, bool repeated,
                          std::string request_id);

  const admin_services& services_;
};

}  // namespace tollgate::proxy::admin
