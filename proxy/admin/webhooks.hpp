// Calls for an organization's webhook endpoints and their dead letters.
#pragma once

#include "proxy/admin/admin_call.hpp"

namespace tollgate::proxy::admin {

class webhook_endpoints {
 public:
  explicit webhook_endpoints(const admin_services& services) : services_{services} {}

  task<api_response> create(admin_call call);
  task<api_response> list(admin_call call);
  task<api_response> show(admin_call call);
  task<api_response> change(admin_call call);
  task<api_response> remove(admin_call call);
  task<api_response> rotate(admin_call call);
  task<api_response> finish_rotation(admin_call call);
  task<api_response> retry(admin_call call);
  task<api_response> test(admin_call call);
  task<api_response> list_dead_letters(admin_call call);
  task<api_response> resend_dead_letter(admin_call call);

 private:
  task<checked<quota::webhook_overview>> read(const quota::org_id& org);
  task<checked<quota::webhook_endpoint>> find(const admin_call& call);
  task<std::size_t> count_pending(const quota::org_id& org,
                                  const quota::webhook_endpoint& endpoint);
  task<api_response> answer(quota::org_id org, quota::webhook_endpoint endpoint);

  const admin_services& services_;
};

}  // namespace tollgate::proxy::admin
