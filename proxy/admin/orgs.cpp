#include "proxy/admin/orgs.hpp"

#include "proxy/account/org_json.hpp"
#include "proxy/admin/org_request.hpp"
#include "proxy/net/api/body.hpp"
#include "proxy/net/api/query_parameters.hpp"
#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t default_orgs = 100, most_orgs = 1000;

// Directory and ledger are changed in two steps. Other calls may change the organization in
// between, so the second step is repeated until the ledger has what the directory says. That ends
// when no other call changes it.
constexpr int most_rounds = 8;

bool same_agreement(const quota::organization& a, const quota::organization& b) {
  return a.plan == b.plan && a.custom_terms == b.custom_terms && a.options == b.options;
}

// A change that waits for the next cycle stays pending, unless it must take effect now.
quota::configure configuration_of(const quota::organization& org, const org_request& request,
                                  const quota::account_snapshot& account,
                                  const config::settings& settings) {
  const auto& in_force = account.plan;
  const bool waits = in_force && in_force->next_terms && in_force->next_terms->plan == org.plan;
  quota::configure what;
  what.options = org.options;
  what.anchor_day = request.anchor_day;
  what.at_once = request.at_once.value_or(!waits);
  if (waits && !request.at_once) {
    what.terms = *in_force->next_terms;
  } else if (const auto terms = resolve_terms(org, settings)) {
    what.terms = *terms;
  } else if (in_force) {
    what.terms = in_force->terms;  // for a plan that the configuration no longer has
  }
  return what;
}

api_error half_done() {
  return ledger_unavailable("the organization is changed, its account is not yet; repeat the PUT");
}

api_error no_room_for_plan() {
  auto error = balance_full("plan");
  error.message =
      "the balance with the credits of this plan would exceed 8000000000 credits; the plan was not "
      "changed. Use credits first";
  return error;
}

struct org_page {
  std::string after;
  std::size_t limit = default_orgs;
};

checked<org_page> parse_org_page(const api_request& request) {
  const auto parameters = query_parameters::parse(request.query, {"after", "limit"});
  if (!parameters) return parameters.error();
  org_page wanted;
  if (const auto after = parameters->find("after")) {
    if (!quota::is_valid_org_id(*after))
      return invalid("after must be an organization id", "after");
    wanted.after = *after;
  }
  if (const auto limit = parameters->find("limit")) {
    const auto count = parse_count(*limit, most_orgs);
    if (!count) return invalid("limit must be a number from 1 to 1000", "limit");
    wanted.limit = *count;
  }
  return wanted;
}

}  // namespace

task<api_response> org_endpoints::list(admin_call call) {
  const auto wanted = parse_org_page(call.request);
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

task<api_response> org_endpoints::show(admin_call call) {
  const auto account = co_await services_.history.snapshot_without_holds(call.org);
  if (!account) co_return failure(ledger_unavailable(), call.request.request_id);
  json_writer out;
  write_org(out, *call.found, &*account);
  co_return success(out.take());
}

task<api_response> org_endpoints::put(admin_call call) {
  const auto body = read_body(call.request, org_fields());
  if (!body) co_return failure(body.error(), call.request.request_id);
  const auto configuration = services_.configuration();
  for (int round = 0; round < most_rounds; ++round) {
    const auto found = co_await services_.directory.find(call.org);
    if (!found) co_return failure(ledger_unavailable(), call.request.request_id);
    const auto request =
        read_org_request(*body, found->value_or(quota::organization{}), configuration->values);
    if (!request) co_return failure(request.error(), call.request.request_id);
    auto changed = co_await services_.directory.change(call.org, request->change);
    if (!changed) co_return failure(ledger_unavailable(), call.request.request_id);
    if (changed->stale) continue;
    if (changed->told) services_.webhook_dispatcher.visit(call.org);
    co_return co_await configure(*std::move(changed), *request, std::move(call.request));
  }
  co_return failure(
      ledger_unavailable("the organization is being changed by another call; repeat the PUT"),
      call.request.request_id);
}

// Passes the directory's terms to the ledger, also without a plan: every organization has cycles.
task<api_response> org_endpoints::configure(quota::changed_organization changed,
                                            org_request request, api_request http) {
  const auto configuration = services_.configuration();
  auto org = std::move(changed.now);
  for (int round = 0; round < most_rounds; ++round) {
    auto account = co_await services_.history.snapshot_without_holds(org.id);
    if (!account) co_return failure(half_done(), http.request_id);
    const quota::operation configure =
        configuration_of(org, request, *account, configuration->values);
    const auto answer = co_await services_.ledger.apply(org.id, configure);
    if (!answer) co_return failure(half_done(), http.request_id);
    if (answer->result == quota::outcome::balance_full) {
      co_return failure(no_room_for_plan(), http.request_id);
    }
    if (answer->result != quota::outcome::configured) {
      const bool moved = request.anchor_day > 0 && account->plan &&
                         request.anchor_day != account->plan->anchor_day;
      const auto error =
          moved ? invalid(
                      "this cycle_anchor would make the cycle longer than 62 days; set it after "
                      "the cycle has ended",
                      "cycle_anchor")
                : invalid(
                      "credits with rollover may not exceed 4000000000; the terms were not changed",
                      "plan");
      co_return failure(error, http.request_id);
    }
    auto now = co_await services_.directory.find(org.id);
    if (!now) co_return failure(half_done(), http.request_id);
    if (!*now || same_agreement(**now, org)) break;
    org = **std::move(now);
    request = {};
  }
  const auto account = co_await services_.history.snapshot_without_holds(org.id);
  if (!account) co_return failure(half_done(), http.request_id);
  json_writer out;
  write_org(out, org, &*account);
  co_return success(out.take(), changed.created ? 201 : 200);
}

}  // namespace tollgate::proxy::admin
