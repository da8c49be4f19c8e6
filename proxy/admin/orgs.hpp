// Calls for organizations themselves.
#pragma once

#include "proxy/admin/admin_call.hpp"
#include "proxy/admin/org_request.hpp"

namespace tollgate::proxy::admin {

class org_endpoints {
 public:
  explicit org_endpoints(const admin_services& services) : services_{services} {}

  task<api_response> list(admin_call call);
  task<api_response> show(admin_call call);
  task<api_response> put(admin_call call);

 private:
  task<api_response> configure(quota::changed_organization changed, org_request request,
                               api_request http);

  const admin_services& services_;
};

}  // namespace tollgate::proxy::admin
