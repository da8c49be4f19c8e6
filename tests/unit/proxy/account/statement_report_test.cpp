// A statement as numbers, as CSV and as a table; each adds up.
#include "proxy/account/statement_report.hpp"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/text/text.hpp"
#include "quota/statement.hpp"

namespace tollgate::proxy::admin {
namespace {

using namespace quota::literals;
using testing::HasSubstr;
using testing::Not;

quota::statement january() {
  quota::statement out;
  auto& cycle = out.record;
  cycle.start = *parse_time("2026-01-31");
  cycle.end = *parse_time("2026-02-28");
  cycle.closed = true;
  cycle.plan = "pro";
  cycle.allocation = 200'000_credits;
  cycle.rolled_in = 10'000_credits;
  cycle.purchase = 500_credits;
  cycle.top_up = 2'500_credits;
  cycle.promotion = 7_credits;
  cycle.correction = -quota::credits::from_micro(500'000);
  cycle.settled = quota::credits::from_micro(213'456'500'000);
  cycle.billed = {{1'000_credits, 10'000}, {quota::credits::from_micro(234'500'000), 20'000}};
  cycle.rolled_out = 90_credits;
  cycle.forfeited = 10_credits;
  out.opening = -quota::credits::from_micro(250'000);
  out.closing = quota::credits::from_micro(684'250'000);
  out.overage = quota::credits::from_micro(1'234'500'000);
  out.overage_cents = 1'469;
  out.packs_cents = 2'000;
  out.automatic_cents = 3'050;
  return out;
}

quota::usage_counter counter(std::string action, std::string model, quota::credits charged,
                             std::int64_t calls) {
  quota::usage_counter out;
  out.who.action = std::move(action);
  out.who.model = std::move(model);
  out.charged = charged;
  out.calls = out.used = calls;
  return out;
}

statement_report report_of(const quota::statement& statement, bool final = true) {
  statement_report report{"acme", statement, final};
  report.add(counter("llm", "gpt-4", 200'000_credits, 20'000));
  report.add(counter("llm", "gpt-4", 13'450_credits, 1'345));
  report.add(counter("api", "", quota::credits::from_micro(6'500'000), 65));
  return report;
}

TEST(statement_report, json_has_every_line) {
  EXPECT_EQ(
      report_of(january()).to_json(),
      R"({"org":"acme","month":"2026-01","plan":"pro","cycle":{"index":0,)"
      R"("start":"2026-01-31T00:00:00Z","end":"2026-02-28T00:00:00Z"},"closed":true,)"
      R"("final":true,"opening":-0.25,"allocation":200000,"rollover":{"in":10000,"out":90},)"
      R"("purchases":500,"top_ups":2500,"promotions":7,"corrections":-0.5,)"
      R"("overage_billed":1234.5,"forfeited":10,"closing":684.25,)"
      R"("overage":{"credits":1234.5,"usd":14.69},)"
      R"("paid":{"packs_usd":20,"automatic_top_ups_usd":30.5,"overage_usd":14.69,)"
      R"("total_usd":65.19},"usage":{"credits":213456.5,"lines":[)"
      R"({"action":"api","model":null,"credits":6.5,"calls":65,"used":65,"billed":65,"unit":null},)"
      R"({"action":"llm","model":"gpt-4","credits":213450,"calls":21345,"used":21345,"billed":21345,"unit":null}],)"
      R"("other":0}})");
}

// The column as a spreadsheet reads it.
quota::credits sum_of_column(const std::string& csv, std::string_view name) {
  std::istringstream lines{csv};
  std::string line;
  quota::credits sum;
  std::ptrdiff_t wanted = -1;
  while (std::getline(lines, line)) {
    if (line.ends_with('\r')) line.pop_back();
    std::vector<std::string> cells{""};
    for (const char c : line) {
      if (c == ',') {
        cells.emplace_back();
      } else {
        cells.back().push_back(c);
      }
    }
    if (wanted < 0) {
      wanted = std::ranges::find(cells, name) - cells.begin();
    } else if (const auto& cell = cells.at(static_cast<std::size_t>(wanted)); !cell.empty()) {
      sum += quota::parse_credits(cell).value();
    }
  }
  return sum;
}

TEST(statement_report, every_column_of_the_csv_adds_up) {
  const auto csv = report_of(january()).to_csv();
  EXPECT_THAT(
      csv, testing::StartsWith("line,action,model,calls,used,billed,unit,credits,usd,balance\r\n"));
  EXPECT_THAT(csv, HasSubstr("overage_billed,,,,,,,1234.5,,\r\n"));
  EXPECT_THAT(csv, HasSubstr("usage,llm,gpt-4,21345,21345,21345,,-213450,,\r\n"));
  EXPECT_THAT(csv, HasSubstr("closing,,,,,,,,,684.25\r\n"));
  EXPECT_THAT(csv, HasSubstr("packs_paid,,,,,,,,20.00,\r\n"));
  EXPECT_THAT(csv, HasSubstr("automatic_top_ups_paid,,,,,,,,30.50,\r\n"));
  EXPECT_EQ(sum_of_column(csv, "credits"), january().closing);
  EXPECT_EQ(sum_of_column(csv, "usd"), quota::credits::from_micro(65'190'000));
  EXPECT_EQ(sum_of_column(csv, "balance"), january().closing);

  auto open = january();
  open.record.closed = false;
  open.overage += 100_credits;
  open.overage_cents += 200;
  EXPECT_EQ(sum_of_column(report_of(open).to_csv(), "credits"), open.closing);
  EXPECT_EQ(sum_of_column(report_of(open).to_csv(), "usd"),
            quota::credits::from_micro(open.paid_cents() * 10'000));
}

// From `billed` and the rate a price can be computed again, each call rounded up; `used` is the
// measured audio.
TEST(statement_report, seconds_are_told_as_used_and_as_billed) {
  statement_report report{"acme", january(), true};
  auto speech = counter("tts", "", 1_credits, 2);
  speech.used = 5'300'000;
  speech.billed_us = 7'000'000;
  report.add(speech);
  EXPECT_THAT(report.to_json(), HasSubstr(R"("calls":2,"used":5.3,"billed":7,"unit":"second"})"));
  EXPECT_THAT(report.to_csv(), HasSubstr("usage,tts,,2,5.3,7,second,-1,,\r\n"));
  auto count = counter("tts", "", 1_credits, 1);
  report.add(count);
  EXPECT_THAT(report.to_json(), HasSubstr(R"("calls":3,"used":null,"billed":null,"unit":null})"))
      << "a count and seconds are no one number";
}

TEST(statement_report, a_payment_is_in_the_month_in_which_it_was_paid) {
  std::vector<quota::statement> all(2, january());
  all[1].record.start = all[0].record.end;
  for (auto& one : all) one.packs_cents = one.automatic_cents = 0;
  quota::top_up_record early, late, open, before;
  early.status = late.status = before.status = quota::top_up_status::paid;
  early.automatic = false;
  early.cents = 500;
  early.resolved_at = all[1].record.start - quota::milliseconds{1};
  late.cents = 700;
  late.requested_at = early.resolved_at;
  late.resolved_at = all[1].record.start;
  open.cents = 900;
  before.cents = 1'100;
  before.resolved_at = all[0].record.start - quota::milliseconds{1};
  quota::add_payments(all, {before, early, late, open});
  EXPECT_EQ(all[0].packs_cents, 500);
  EXPECT_EQ(all[0].automatic_cents, 0);
  EXPECT_EQ(all[1].packs_cents, 0);
  EXPECT_EQ(all[1].automatic_cents, 700);
}

TEST(statement_report, what_came_back_was_not_paid) {
  std::vector<quota::statement> all(1, january());
  all[0].packs_cents = all[0].automatic_cents = 0;
  all[0].overage_cents = 0;
  all[0].record.billed.clear();
  quota::top_up_record refunded, disputed, both;
  refunded.status = disputed.status = both.status = quota::top_up_status::paid;
  refunded.resolved_at = disputed.resolved_at = both.resolved_at = all[0].record.start;
  refunded.cents = disputed.cents = both.cents = 1'000;
  refunded.automatic = false;
  refunded.refunded_cents = 300;
  disputed.disputed_cents = 600;
  both.refunded_cents = 700;
  both.disputed_cents = 700;  // no more than the payment can come back
  quota::add_payments(all, {refunded, disputed, both});
  EXPECT_EQ(all[0].packs_cents, 700);
  EXPECT_EQ(all[0].automatic_cents, 400);
  EXPECT_EQ(all[0].paid_cents(), 1'100);
  const auto report = report_of(all[0]);
  EXPECT_THAT(report.to_json(), HasSubstr(R"("paid":{"packs_usd":7,"automatic_top_ups_usd":4,)"
                                          R"("overage_usd":0,"total_usd":11})"));
  EXPECT_EQ(sum_of_column(report.to_csv(), "usd"), quota::credits::from_micro(11'000'000));
  EXPECT_THAT(report.to_text(), HasSubstr("Packs paid: $7.00\nAutomatic top-ups paid: $4.00\n"));
}

TEST(statement_report, the_table_adds_up_for_the_eye) {
  EXPECT_EQ(
      report_of(january()).to_text(),
      "Statement of acme for 2026-01: from 2026-01-31 to 2026-02-28 (not included), plan pro. "
      "In credits.\n"
      "\n"
      "Opening balance                              -0.25\n"
      "Allocation of the plan                   200000\n"
      "Rolled over from before                   10000\n"
      "Purchases                                   500\n"
      "Top-ups                                    2500\n"
      "Promotions                                    7\n"
      "Corrections                                  -0.5\n"
      "Overage, billed                            1234.5\n"
      "Usage: api                    65 calls       -6.5\n"
      "Usage: llm, gpt-4          21345 calls  -213450\n"
      "Rolled over into the next                   -90\n"
      "Forfeited                                   -10\n"
      "Closing balance                             684.25\n"
      "\n"
      "Overage billed: 1234.5 credits, $14.69\n"
      "Packs paid: $20.00\n"
      "Automatic top-ups paid: $30.50\n");
}

TEST(statement_report, usage_agrees_with_what_was_settled) {
  auto statement = january();
  // An amount that is in no line.
  statement.record.settled += 8_credits;
  statement.closing -= 8_credits;
  const auto report = report_of(statement, false);
  EXPECT_THAT(report.to_json(), HasSubstr(R"("usage":{"credits":213464.5,)"));
  EXPECT_THAT(report.to_json(), HasSubstr(R"("other":8})"));
  EXPECT_THAT(report.to_csv(), HasSubstr("usage_other,,,,,,,-8,,\r\n"));
  EXPECT_THAT(report.to_text(), HasSubstr("Usage: other"));
  EXPECT_THAT(report.to_text(), HasSubstr("Not final: calls that began in this cycle"));
  EXPECT_THAT(report_of(january()).to_text(), Not(HasSubstr("other")));
}

TEST(statement_report, more_models_than_lines_are_summed_up) {
  statement_report report{"acme", january(), true};
  for (std::size_t i = 0; i < statement_report::max_lines + 5; ++i) {
    report.add(counter("llm", "m" + std::to_string(i), 1_credits, 1));
  }
  EXPECT_THAT(report.to_json(), HasSubstr(R"("other":212456.5})"));
}

TEST(statement_report, an_open_cycle_tells_what_would_be_billed) {
  auto statement = january();
  statement.record.closed = false;
  statement.overage += 100_credits;
  statement.overage_cents += 200;
  const auto report = report_of(statement, false);
  EXPECT_THAT(report.to_csv(), HasSubstr("overage_to_bill,,,,,,,,2.00,100\r\n"));
  EXPECT_THAT(report.to_text(), HasSubstr("Overage so far: 1334.5 credits, $16.69\n"));
  EXPECT_THAT(report.to_text(), HasSubstr("The cycle is open"));
}

TEST(statement_report, asks_for_the_hours_of_its_cycle) {
  const auto hour = [](const char* time) {
    return parse_time(time)->time_since_epoch() / std::chrono::hours{1};
  };
  auto statement = january();
  const auto now = *parse_time("2026-02-10T10:30:00Z");
  EXPECT_EQ(report_of(statement).first_hour(), hour("2026-01-31"));
  EXPECT_EQ(report_of(statement).last_hour(now), hour("2026-02-27T23:00:00Z"));
  statement.record.closed = false;
  EXPECT_EQ(report_of(statement).last_hour(now), hour("2026-02-10T10:00:00Z"));
}

TEST(statement_report, is_named_by_the_month_it_starts_in) {
  std::vector<quota::statement> all(3, january());
  all[1].record.start = *parse_time("2026-03-05");
  all[2].record.start = *parse_time("2026-03-20");
  EXPECT_EQ(find_statement(all, *parse_month("2026-01")), &all[0]);
  EXPECT_EQ(find_statement(all, *parse_month("2026-03")), &all[2]) << "the latest of several";
  EXPECT_EQ(find_statement(all, *parse_month("2026-02")), nullptr);
}

TEST(statement_report, is_final_when_no_hold_is_left_that_belongs_to_it) {
  auto statement = january();
  quota::open_hold hold;
  hold.placed_at = statement.record.end;
  EXPECT_TRUE(is_final(statement, {}));
  EXPECT_TRUE(is_final(statement, {hold})) << "of the next cycle";
  hold.placed_at = statement.record.end - quota::milliseconds{1};
  EXPECT_FALSE(is_final(statement, {hold}));
  statement.record.closed = false;
  EXPECT_FALSE(is_final(statement, {}));
}

TEST(statement_report, the_list_is_csv_too) {
  EXPECT_EQ(statements_csv({january()}, {}),
            "month,start,end,plan,final,opening,allocation,rollover_in,purchases,top_ups,"
            "promotions,corrections,overage_billed,usage,rollover_out,forfeited,closing,"
            "overage_credits,overage_usd,packs_usd,automatic_top_ups_usd,total_usd\r\n"
            "2026-01,2026-01-31T00:00:00Z,2026-02-28T00:00:00Z,pro,yes,-0.25,200000,10000,500,2500,"
            "7,-0.5,1234.5,-213456.5,-90,-10,684.25,1234.5,14.69,20.00,30.50,65.19\r\n");
}

}  // namespace
}  // namespace tollgate::proxy::admin
