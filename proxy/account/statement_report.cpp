#include "proxy/account/statement_report.hpp"

#include <algorithm>

#include "proxy/account/statement_lines.hpp"
#include "proxy/text/csv.hpp"
#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"
#include "quota/statement.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace chrono = std::chrono;

std::int64_t hour_of(quota::time_point time) {
  return chrono::floor<chrono::hours>(time.time_since_epoch()).count();
}

// Everything except usage, as members of an object.
void write_lines(json_writer& out, const quota::statement& statement, bool final) {
  const auto& cycle = statement.record;
  out.key("month").string(month_text(cycle.start)).key("plan").string_or_null(cycle.plan);
  out.key("cycle").begin_object().key("index").number(cycle.index);
  out.key("start").string(to_rfc3339_seconds(cycle.start));
  out.key("end").string(to_rfc3339_seconds(cycle.end)).end_object();
  out.key("closed").boolean(cycle.closed).key("final").boolean(final);
  out.key("opening").number(statement.opening).key("allocation").number(cycle.allocation);
  out.key("rollover").begin_object().key("in").number(cycle.rolled_in);
  out.key("out").number(cycle.rolled_out).end_object();
  out.key("purchases").number(cycle.purchase).key("top_ups").number(cycle.top_up);
  out.key("promotions").number(cycle.promotion).key("corrections").number(cycle.correction);
  out.key("overage_billed").number(billed_of(cycle)).key("forfeited").number(cycle.forfeited);
  out.key("closing").number(statement.closing);
  // In an open cycle it includes what would be billed if it closed now.
  out.key("overage").begin_object().key("credits").number(statement.overage);
  out.key("usd").usd(statement.overage_cents).end_object();
  out.key("paid").begin_object().key("packs_usd").usd(statement.packs_cents);
  out.key("automatic_top_ups_usd").usd(statement.automatic_cents);
  out.key("overage_usd").usd(statement.overage_cents);
  out.key("total_usd").usd(statement.paid_cents()).end_object();
}

}  // namespace

const quota::statement* find_statement(const std::vector<quota::statement>& all,
                                       quota::time_point first_day) {
  const auto month = month_text(first_day);
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const quota::statement& one) {
    return month_text(one.record.start) == month;
  });
  return found == all.rend() ? nullptr : &*found;
}

bool is_final(const quota::statement& statement, const std::vector<quota::open_hold>& holds) {
  const auto& cycle = statement.record;
  return cycle.closed &&
         std::none_of(holds.begin(), holds.end(),
                      [&](const quota::open_hold& hold) { return hold.placed_at < cycle.end; });
}

std::string statements_json(const quota::org_id& org, const std::vector<quota::statement>& all,
                            const std::vector<quota::open_hold>& holds) {
  json_writer out;
  out.begin_object().key("org").string(org).key("statements").begin_array();
  for (const auto& one : all) {
    out.begin_object();
    write_lines(out, one, is_final(one, holds));
    out.key("usage").begin_object().key("credits").number(one.record.settled).end_object();
    out.end_object();
  }
  out.end_array().end_object();
  return out.take();
}

std::string statements_csv(const std::vector<quota::statement>& all,
                           const std::vector<quota::open_hold>& holds) {
  csv_writer out;
  for (const auto name : {"month", "start", "end", "plan", "final"}) out.text(name);
  for (const auto& line : lines_before_usage({})) out.text(line.name);
  out.text("usage");
  for (const auto& line : lines_after_usage({})) out.text(line.name);
  for (const auto name : {"closing", "overage_credits", "overage_usd", "packs_usd",
                          "automatic_top_ups_usd", "total_usd"}) {
    out.text(name);
  }
  out.end_row();
  for (const auto& one : all) {
    const auto& cycle = one.record;
    out.text(month_text(cycle.start)).text(to_rfc3339_seconds(cycle.start));
    out.text(to_rfc3339_seconds(cycle.end)).text(cycle.plan);
    out.text(is_final(one, holds) ? "yes" : "no");
    for (const auto& line : lines_before_usage(one)) out.number(line.amount);
    out.number(-cycle.settled);
    for (const auto& line : lines_after_usage(one)) out.number(line.amount);
    out.number(one.closing).number(one.overage).usd(one.overage_cents).usd(one.packs_cents);
    out.usd(one.automatic_cents).usd(one.paid_cents()).end_row();
  }
  return out.take();
}

statement_report::statement_report(quota::org_id org, quota::statement statement, bool final)
    : org_{std::move(org)}, statement_{std::move(statement)}, final_{final} {}

std::int64_t statement_report::first_hour() const {
  return hour_of(statement_.record.start);
}

std::int64_t statement_report::last_hour(quota::time_point now) const {
  const auto end = statement_.record.end - quota::milliseconds{1};
  return hour_of(statement_.record.closed ? end : std::min(now, end));
}

void statement_report::add(const quota::usage_counter& counter) {
  usage_key key{counter.who.action, counter.who.model};
  if (usage_.size() >= max_lines && !usage_.contains(key)) return;
  auto& line = usage_[std::move(key)];
  line.charged += counter.charged;
  line.calls += counter.calls;
  line.used += counter.used;
  line.billed_us += counter.billed_us;
  const auto unit = counter.billed_us > 0 ? std::optional{usage_unit::second} : std::nullopt;
  line.mixed = line.mixed || (line.calls > counter.calls && line.unit != unit);
  line.unit = unit;
}

measured statement_report::usage_totals::in_its_unit() const {
  if (mixed) return {};
  auto found = measure(used, billed_us, unit);
  if (!unit) found.used = found.billed = std::to_string(used);
  return found;
}

quota::credits statement_report::other_usage() const {
  auto other = statement_.record.settled;
  for (const auto& [key, line] : usage_) other -= line.charged;
  return other;
}

std::string statement_report::to_json() const {
  json_writer out;
  out.begin_object().key("org").string(org_);
  write_lines(out, statement_, final_);
  out.key("usage").begin_object().key("credits").number(statement_.record.settled);
  out.key("lines").begin_array();
  for (const auto& [key, line] : usage_) {
    out.begin_object().key("action").string_or_null(key.action);
    out.key("model").string_or_null(key.model).key("credits").number(line.charged);
    const auto used = line.in_its_unit();
    out.key("calls").number(line.calls).key("used").raw(used.used.empty() ? "null" : used.used);
    out.key("billed").raw(used.billed.empty() ? "null" : used.billed);
    out.key("unit").string_or_null(used.unit).end_object();
  }
  out.end_array().key("other").number(other_usage()).end_object().end_object();
  return out.take();
}

std::string statement_report::to_csv() const {
  csv_writer out;
  const auto billed_cents = quota::cents_of(statement_.record.billed);
  for (const auto name : {"line", "action", "model", "calls", "used", "billed", "unit", "credits",
                          "usd", "balance"}) {
    out.text(name);
  }
  out.end_row();
  const auto begin = [&](std::string_view name) -> csv_writer& {
    out.text(name);
    for (int i = 0; i < 6; ++i) out.text("");  // usage columns
    return out;
  };
  const auto line_of = [&](std::string_view name, quota::credits amount) {
    begin(name).number(amount).text("").text("").end_row();
  };
  // Money only: its credits are in another line.
  const auto money_of = [&](std::string_view name, std::int64_t cents) {
    begin(name).text("").usd(cents).text("").end_row();
  };
  for (const auto& line : lines_before_usage(statement_)) line_of(line.name, line.amount);
  for (const auto& [key, line] : usage_) {
    const auto used = line.in_its_unit();
    out.text("usage").text(key.action).text(key.model).number(line.calls).text(used.used);
    out.text(used.billed).text(used.unit).number(-line.charged).text("").text("").end_row();
  }
  line_of("usage_other", -other_usage());
  for (const auto& line : lines_after_usage(statement_)) line_of(line.name, line.amount);
  begin("closing").text("").text("").number(statement_.closing).end_row();
  money_of("packs_paid", statement_.packs_cents);
  money_of("automatic_top_ups_paid", statement_.automatic_cents);
  money_of("overage_billed", billed_cents);
  if (!statement_.record.closed) {
    begin("overage_to_bill").text("").usd(statement_.overage_cents - billed_cents);
    out.number(statement_.overage - billed_of(statement_.record)).end_row();
  }
  return out.take();
}

}  // namespace tollgate::proxy::admin
