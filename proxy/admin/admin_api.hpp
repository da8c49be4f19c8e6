// The admin API without its sockets: authorization, routing of calls, and their effects.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "proxy/account/billing_api.hpp"
#include "proxy/account/report_memory.hpp"
#include "proxy/admin/admin_call.hpp"
#include "proxy/admin/grants.hpp"
#include "proxy/admin/keys.hpp"
#include "proxy/admin/orgs.hpp"
#include "proxy/admin/plans.hpp"
#include "proxy/admin/top_ups.hpp"
#include "proxy/admin/webhooks.hpp"

namespace tollgate::proxy::admin {

class admin_api {
 public:
  // Without a feed there are no events. Not movable: its parts refer to its services.
  admin_api(const admin_api&) = delete;
  explicit admin_api(admin_services services, event_feed* feed = nullptr)
      : services_{std::move(services)},
        billing_{services_.ledger, services_.history, services_.configuration, feed} {}

  // Nullopt: the call is authorized. Called before a body is read.
  std::optional<api_error> authorize(std::string_view authorization) const;

  // Handles every call under /admin/v1, after authorization.
  task<api_response> handle(api_request request);

 private:
  using handler = task<api_response> (admin_api::*)(admin_call);
  // The input that a call reads, and checks for unknown members itself. Any other input is refused.
  enum class takes : std::uint8_t { neither, parameters, body };
  struct route {
    std::string_view method, pattern;
    handler run;
    takes takes_what = takes::neither;
    bool creates = false;  // the organization, if it does not exist
  };
  static const std::vector<route>& routes();

  task<api_response> run(const route& route, admin_call call);
  static std::optional<api_error> refuse_unread(const route& route, const api_request& request);

  // Handlers: a function of one of the parts, or a report that customers can read, too.
  template <auto Part, auto Function>
  task<api_response> part(admin_call call) {
    return (this->*Part.*Function)(std::move(call));
  }
  template <auto Report>
  task<api_response> report(admin_call call) {
    constexpr bool is_small = Report == &billing_api::balance || Report == &billing_api::quote ||
                              Report == &billing_api::events;
    const auto id = call.request.request_id;
    auto reading = (billing_.*Report)(call.org, std::move(call.request));
    if constexpr (is_small) return reading;
    return bound_report(report_memory::shared(), std::move(call.org), id, std::move(reading));
  }
  task<api_response> statement(admin_call call);

  admin_services services_;
  billing_api billing_;
  org_endpoints orgs_{services_};
  key_endpoints keys_{services_};
  grant_endpoints grants_{services_};
  top_up_endpoints top_ups_{services_};
  webhook_endpoints webhooks_{services_};
  plan_endpoints plans_{services_};
};

}  // namespace tollgate::proxy::admin
