// The arguments of `tollgate org create|set`, and the body of the resulting PUT.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "proxy/cli/admin_client.hpp"

namespace CLI {
class App;
}

namespace tollgate::proxy {

// Texts as typed; empty: not given.
struct org_arguments {
  std::string org, plan, plan_effective, anchor, mode, overage, spend_cap, auto_top_up;
  std::string critical_overdraft, stripe_customer;
  std::vector<std::string> limits, alerts;
  bool no_limits = false, no_alerts = false;
  struct {
    std::string credits, overage_usd, top_up_minimum_usd, rollover, requests;
  } terms;  // of a custom plan
};

void add_org_options(CLI::App& command, org_arguments& into);

// Amounts are sent as text: the API reads them exactly and reports errors in them. Errors in the
// format of the arguments are reported here.
std::variant<std::string, command_error> body_of(const org_arguments& given);

}  // namespace tollgate::proxy
