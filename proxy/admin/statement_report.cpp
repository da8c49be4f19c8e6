#include "proxy/admin/statement_report.hpp"

#include <algorithm>

#include "proxy/admin/csv.hpp"
#include "proxy/admin/json_writer.hpp"
#include "proxy/admin/statement_lines.hpp"
#include "proxy/admin/text.hpp"
#include "quota/statement.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace chrono = std::chrono;

std::int64_t hour_of(quota::time_point time) {
  return chrono::floor<chrono::hours>(time.time_since_epoch()).count();
}

// Everything but usage, between an object's brackets.
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
  // In an open cycle also what would be billed if it closed now.
  out.key("overage").begin_object().key("credits").number(statement.overage);
  out.key("usd").usd(statement.overage_cents).end_object();
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
  out.text("closing").text("overage_credits").text("overage_usd").end_row();
  for (const auto& one : all) {
    const auto& cycle = one.record;
    out.text(month_text(cycle.start)).text(to_rfc3339_seconds(cycle.start));
    out.text(to_rfc3339_seconds(cycle.end)).text(cycle.plan);
    out.text(is_final(one, holds) ? "yes" : "no");
    for (const auto& line : lines_before_usage(one)) out.number(line.amount);
    out.number(-cycle.settled);
    for (const auto& line : lines_after_usage(one)) out.number(line.amount);
    out.number(one.closing).number(one.overage).usd(one.overage_cents).end_row();
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
    out.key("calls").number(line.calls).key("used").number(line.used).end_object();
  }
  out.end_array().key("other").number(other_usage()).end_object().end_object();
  return out.take();
}

std::string statement_report::to_csv() const {
  csv_writer out;
  const auto billed_cents = quota::cents_of(statement_.record.billed);
  for (const auto name : {"line", "action", "model", "calls", "used", "credits", "usd"}) {
    out.text(name);
  }
  out.end_row();
  const auto row = [&](std::string_view name, quota::credits amount) -> csv_writer& {
    return out.text(name).text("").text("").text("").text("").number(amount);
  };
  for (const auto& line : lines_before_usage(statement_)) {
    row(line.name, line.amount);
    if (line.name == "overage_billed") {
      out.usd(billed_cents).end_row();
    } else {
      out.text("").end_row();
    }
  }
  for (const auto& [key, line] : usage_) {
    out.text("usage").text(key.action).text(key.model).number(line.calls).number(line.used);
    out.number(-line.charged).text("").end_row();
  }
  row("usage_other", -other_usage()).text("").end_row();
  for (const auto& line : lines_after_usage(statement_)) {
    row(line.name, line.amount).text("").end_row();
  }
  row("closing", statement_.closing).text("").end_row();
  if (!statement_.record.closed) {
    row("overage_to_bill", statement_.overage - billed_of(statement_.record));
    out.usd(statement_.overage_cents - billed_cents).end_row();
  }
  return out.take();
}

}  // namespace tollgate::proxy::admin
