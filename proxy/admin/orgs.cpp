// The calls about organizations themselves.
#include "proxy/admin/admin_api.hpp"
#include "proxy/admin/body.hpp"
#include "proxy/admin/json_writer.hpp"
#include "proxy/admin/text.hpp"
#include "routes/suggest.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t default_limit = 100, max_limit = 1000;

const body_fields& org_fields() {
  static constexpr std::string_view with_plans =
      "cycles, overage, caps, limits, top-ups and alerts come with plans";
  static const body_fields fields{{"plan", "mode", "suspended"},
                                  {{"cycle_anchor", with_plans},
                                   {"overage", with_plans},
                                   {"spend_cap_usd", with_plans},
                                   {"auto_top_up", with_plans},
                                   {"alerts", with_plans},
                                   {"limits", with_plans}}};
  return fields;
}

void write_org(json_writer& out, const quota::organization& org) {
  out.begin_object().key("id").string(org.id).key("plan").string_or_null(org.plan);
  out.key("mode").string(org.shadow ? "shadow" : "enforce");
  out.key("suspended").boolean(org.suspended);
  out.key("created_at").string(to_rfc3339(org.created_at)).end_object();
}

std::optional<api_error> refuse_plan(const std::string& plan, const config::settings& settings) {
  std::vector<std::string> names;
  for (const auto& known : settings.plans) {
    if (known.name == plan) return {};
    names.push_back(known.name);
  }
  return invalid(
      "the configuration has no plan " + routes::shown(plan) + routes::did_you_mean(plan, names),
      "plan");
}

checked<quota::organization_change> read_change(const json_value& body,
                                                const config::settings& settings) {
  quota::organization_change change;
  const auto plan = text_field(body, "plan", 64);
  if (!plan) return plan.error();
  if (*plan) {
    if (const auto error = refuse_plan(**plan, settings)) return *error;
    change.plan = **plan;
  } else if (body.find("plan") != nullptr) {
    change.plan = "";  // null takes the plan away
  }
  const auto mode = text_field(body, "mode", 64);
  if (!mode) return mode.error();
  if (*mode) {
    if (**mode != "shadow" && **mode != "enforce")
      return invalid("mode is shadow or enforce", "mode");
    change.shadow = **mode == "shadow";
  }
  const auto suspended = boolean_field(body, "suspended");
  if (!suspended) return suspended.error();
  change.suspended = *suspended;
  return change;
}

struct page {
  std::string after;
  std::size_t limit = default_limit;
};

checked<page> parse_page(const api_request& request) {
  const auto parameters = query_parameters::parse(request.query, {"after", "limit"});
  if (!parameters) return parameters.error();
  page wanted;
  if (const auto after = parameters->find("after"); after && !after->empty()) {
    if (!quota::is_valid_org_id(*after)) return invalid("after is an organization's id", "after");
    wanted.after = *after;
  }
  if (const auto limit = parameters->find("limit")) {
    const auto count = parse_count(*limit, max_limit);
    if (!count) return invalid("limit is a number from 1 to 1000", "limit");
    wanted.limit = *count;
  }
  return wanted;
}

}  // namespace

task<api_response> admin_api::list_orgs(call call) {
  const auto wanted = parse_page(call.request);
  if (!wanted) co_return failure(wanted.error(), call.request.request_id);
  auto orgs = co_await services_.directory.list(wanted->after, wanted->limit + 1);
  if (!orgs) co_return failure(ledger_unavailable(), call.request.request_id);
  const bool has_more = orgs->size() > wanted->limit;
  if (has_more) orgs->resize(wanted->limit);
  json_writer out;
  out.begin_object().key("orgs").begin_array();
  for (const auto& org : *orgs) write_org(out, org);
  out.end_array();
  out.key("next_after").string(orgs->empty() ? wanted->after : orgs->back().id);
  out.key("has_more").boolean(has_more).end_object();
  co_return success(out.take());
}

task<api_response> admin_api::show_org(call call) {
  json_writer out;
  write_org(out, *call.found);
  co_return success(out.take());
}

task<api_response> admin_api::put_org(call call) {
  const auto body = read_body(call.request, org_fields());
  if (!body) co_return failure(body.error(), call.request.request_id);
  const auto configuration = services_.configuration();
  const auto change = read_change(*body, configuration->values);
  if (!change) co_return failure(change.error(), call.request.request_id);
  const auto changed = co_await services_.directory.change(call.org, *change);
  if (!changed) co_return failure(ledger_unavailable(), call.request.request_id);
  json_writer out;
  write_org(out, changed->now);
  co_return success(out.take(), changed->created ? 201 : 200);
}

}  // namespace tollgate::proxy::admin
