// Reads one organization's account. The data listener serves it to customers under the billing
// prefix, always for the organization of the caller's key; the admin listener serves it for any
// organization.
#pragma once

#include <functional>
#include <memory>

#include "config/load.hpp"
#include "proxy/account/event_answer.hpp"
#include "proxy/net/api/message.hpp"
#include "quota/account_history.hpp"
#include "quota/ledger.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::admin {

class billing_api {
 public:
  // The current configuration defines the units of routes.
  using configuration_in_force = std::function<std::shared_ptr<const config::configuration>()>;

  // Without a feed there are no events.
  billing_api(quota::ledger& ledger, quota::account_history& history,
              configuration_in_force configuration, event_feed* feed = nullptr)
      : ledger_{ledger}, history_{history}, configuration_{std::move(configuration)}, feed_{feed} {}

  // `request.path` is the part after the prefix: "/balance", "/usage", "/projection", "/burn_down",
  // "/quote", "/ledger", "/statements", "/statements/2026-01", "/top_ups" or "/events". Everything
  // else is 404, and methods other than GET and HEAD are 405.
  task<api_response> handle(quota::org_id org, api_request request);

  task<api_response> balance(quota::org_id org, api_request request);
  task<api_response> usage(quota::org_id org, api_request request);
  task<api_response> projection(quota::org_id org, api_request request);
  task<api_response> burn_down(quota::org_id org, api_request request);
  task<api_response> quote(quota::org_id org, api_request request);
  task<api_response> entries(quota::org_id org, api_request request);
  task<api_response> holds(quota::org_id org, api_request request);
  task<api_response> grants(quota::org_id org, api_request request);
  task<api_response> statements(quota::org_id org, api_request request);
  task<api_response> statement(quota::org_id org, std::string month, api_request request);
  task<api_response> top_ups(quota::org_id org, api_request request);
  task<api_response> events(quota::org_id org, api_request request) {
    return answer_events(feed_, std::move(org), std::move(request));
  }

 private:
  struct usage_range {
    std::int64_t first, last;  // hours, both included
    bool with_callers;         // include agents and conversations
  };
  using counter_taker = std::function<void(const quota::usage_counter&)>;
  // Begins an empty report and returns the function that adds counters to it. Called again if the
  // usage has to be read again.
  using report_beginner = std::function<counter_taker()>;
  task<result<void>> read_usage(quota::org_id org, usage_range range, report_beginner begin);
  // A report on an account and on the usage of the hours that the report names.
  template <class Report>
  task<api_response> report_on(quota::org_id org, api_request request);
  struct usage_reading;
  task<> read_usage_steps(usage_reading& all);

  quota::ledger& ledger_;
  quota::account_history& history_;
  configuration_in_force configuration_;
  event_feed* feed_;
};

// {"id","credits","kind","note","created_at","expires_at","priority"}: also the answer to POST
// grants.
std::string grant_json(const quota::grant_record& grant);

}  // namespace tollgate::proxy::admin
