// The plans of this sidecar's configuration, and those in force.
#pragma once

#include "proxy/admin/admin_call.hpp"

namespace tollgate::proxy::admin {

class plan_endpoints {
 public:
  explicit plan_endpoints(const admin_services& services) : services_{services} {}

  task<api_response> list(admin_call call);
  task<api_response> apply(admin_call call);

 private:
  std::string plans_json() const;

  const admin_services& services_;
};

}  // namespace tollgate::proxy::admin
