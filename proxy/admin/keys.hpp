// Calls for an organization's API keys.
#pragma once

#include "proxy/admin/admin_call.hpp"

namespace tollgate::proxy::admin {

class key_endpoints {
 public:
  explicit key_endpoints(const admin_services& services) : services_{services} {}

  task<api_response> create(admin_call call);
  task<api_response> list(admin_call call);
  task<api_response> revoke(admin_call call);

 private:
  const admin_services& services_;
};

}  // namespace tollgate::proxy::admin
