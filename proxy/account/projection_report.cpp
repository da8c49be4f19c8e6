#include "proxy/account/projection_report.hpp"

#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"
#include "quota/statement.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace chrono = std::chrono;
using quota::credits;

void write_range(json_writer& out, credits used, const credit_range& more) {
  out.begin_object().key("low").number(used + more.low);
  out.key("expected").number(used + more.expected);
  out.key("high").number(used + more.high).end_object();
}

}  // namespace

projection_report::projection_report(const quota::account_snapshot& account, quota::time_point now)
    : account_{account}, now_{now} {
  const auto today = chrono::floor<chrono::days>(now);
  history_.first_day = today - chrono::days{usage_history::most_days};
  history_.days.resize(usage_history::most_days);
}

std::int64_t projection_report::first_hour() const {
  return quota::hour_of(history_.first_day);
}

std::int64_t projection_report::last_hour() const {
  return quota::hour_of(now_);
}

void projection_report::add(const quota::usage_counter& counter) {
  const auto day = static_cast<std::size_t>((counter.hour - first_hour()) / 24);
  (day < history_.days.size() ? history_.days[day] : history_.today) += counter.charged;
}

// The ledger's bill if this much more were used and the cycle closed then: grants first, then
// overage, as far as the plan, the customer's option and the spend cap allow. It ignores that some
// grants may expire earlier, and that credits may be bought.
std::int64_t projection_report::overage_cents(credits more) const {
  const auto& plan = *account_.plan;
  const auto& cycle = account_.cycles.back();
  auto grants = account_.grants.active;
  const auto overdrawn = account_.overdrawn + quota::burn(grants, more);
  auto billed = cycle.billed;
  const auto due = quota::billable_overage(plan, cycle, account_.top_up, overdrawn);
  if (due > credits{}) billed.push_back({due, plan.terms.usd_micro_per_credit});
  return quota::cents_of(billed);
}

projection_report::dollars projection_report::overage_after(const credit_range& more) const {
  return {overage_cents(more.low), overage_cents(more.expected), overage_cents(more.high)};
}

// Held credits count as used. If the next cycle brings an allocation, the forecast ends there;
// otherwise after a year.
std::optional<quota::time_point> projection_report::runs_out_at(const usage_pace& pace) const {
  if (account_.row.available() <= credits{}) return now_;
  auto grants = account_.grants.active;
  quota::burn(grants, account_.row.held);
  const auto& plan = account_.plan;
  const auto& next = plan && plan->next_terms ? *plan->next_terms : plan->terms;
  const auto horizon = next.allocation > credits{} ? plan->end : now_ + chrono::days{366};
  return pace.runs_out_at(std::move(grants), horizon);
}

credit_range projection_report::until_cycle_end() const {
  return usage_pace{history_, now_}.until(account_.plan->end);
}

std::string projection_report::to_json() const {
  json_writer out;
  out.begin_object();
  // Without terms there is no cycle, and so no end of one.
  if (!account_.plan || account_.cycles.empty()) {
    for (const auto name : {"cycle", "used", "credits", "overage_usd", "runs_out_at"}) {
      out.key(name).null();
    }
    out.key("observed_days").number(0).end_object();
    return out.take();
  }
  const usage_pace pace{history_, now_};
  const auto& plan = *account_.plan;
  const auto used = quota::statements(account_.cycles, account_).back().record.settled;
  const auto more = pace.until(plan.end);
  const auto money = overage_after(more);
  const auto end_of_credits = runs_out_at(pace);
  out.key("cycle").begin_object().key("start").string(to_rfc3339_seconds(plan.start));
  out.key("end").string(to_rfc3339_seconds(plan.end)).end_object();
  out.key("used").number(used).key("credits");
  write_range(out, used, more);
  out.key("overage_usd").begin_object().key("low").usd(money.low);
  out.key("expected").usd(money.expected).key("high").usd(money.high).end_object();
  out.key("runs_out_at");
  out.string_or_null(end_of_credits ? to_rfc3339_seconds(*end_of_credits) : "");
  out.key("observed_days").number(pace.observed_days()).end_object();
  return out.take();
}

}  // namespace tollgate::proxy::admin
