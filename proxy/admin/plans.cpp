#include "proxy/admin/plans.hpp"

#include <algorithm>

#include "proxy/account/org_json.hpp"
#include "proxy/admin/plan_agreement.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy::admin {

namespace {

// Plans with `custom: true` have none of their own.
void write_terms_or_null(json_writer& out, const config::plan_settings& plan) {
  if (plan.custom) {
    out.null();
  } else {
    write_terms(out, plan.terms);
  }
}

}  // namespace

// In the order of the configuration.
std::string plan_endpoints::plans_json() const {
  const auto& agreement = *services_.plans;
  const auto& in_force = agreement.in_force()->values.plans;
  const auto& own = agreement.own().values.plans;
  const auto& unconfirmed = agreement.unconfirmed();
  json_writer out;
  out.begin_object().key("plans").begin_array();
  for (std::size_t i = 0; i < own.size(); ++i) {
    const bool differs = std::ranges::find(unconfirmed, own[i].name) != unconfirmed.end();
    out.begin_object().key("plan").string(own[i].name);
    out.key("custom").boolean(own[i].custom).key("confirmed").boolean(!differs);
    out.key("in_force");
    write_terms_or_null(out, in_force[i]);
    out.key("configured");
    write_terms_or_null(out, own[i]);
    out.end_object();
  }
  out.end_array().key("terms_pending").boolean(agreement.pending()).end_object();
  return out.take();
}

task<api_response> plan_endpoints::list(admin_call) {
  co_return success(plans_json());
}

task<api_response> plan_endpoints::apply(admin_call call) {
  const auto applied = co_await services_.plans->apply();
  if (!applied) co_return failure(ledger_unavailable(), call.request.request_id);
  co_return success(plans_json());
}

}  // namespace tollgate::proxy::admin
