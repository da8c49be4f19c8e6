#include "quota/verify.hpp"

#include <gtest/gtest.h>

#include "tests/support/moments.hpp"

namespace tollgate::quota {
namespace {

using namespace std::chrono_literals;
using namespace literals;

using tests::round_moment;

hold_id hold(std::uint64_t n) {
  return hold_id::make(round_moment, 0, n);
}

// An account in which everything has happened once; hold 5 is still open.
account_ledger busy_account() {
  account_ledger ledger;
  const auto open = [&](std::uint64_t n, credits amount, milliseconds timeout = 1h) {
    ledger.apply(reserve{hold(n), amount, timeout, admission::critical, "r", {}}, round_moment);
  };
  ledger.apply(grant{"g1", 100_credits, "purchase", ""}, round_moment);
  open(1, 40_credits);
  open(2, 40_credits);
  open(3, 40_credits, 1s);
  ledger.apply(extend{hold(1), 50_credits, 1h, admission::critical}, round_moment);
  ledger.apply(settle{hold(1), 120_credits, 1}, round_moment);
  ledger.apply(void_hold{hold(2)}, round_moment);
  ledger.apply(expire_holds{}, round_moment + 2s);
  ledger.apply(grant{"g2", -10_credits, "correction", ""}, round_moment + 2s);
  open(5, 7_credits);
  return ledger;
}

struct books {
  std::vector<ledger_entry> entries;
  account_snapshot snapshot;
  account_rows rows;
  std::vector<usage_counter> counted;
};

books books_of(const account_ledger& ledger) {
  books read;
  read.entries = ledger.entries();
  read.snapshot.row = ledger.row();
  read.snapshot.grants = ledger.grants();
  read.snapshot.overdrawn = ledger.overdrawn();
  read.snapshot.cycles = ledger.cycles();
  read.snapshot.holds = {{hold(5), 7_credits, round_moment + 1h, round_moment, "r", {}}};
  read.snapshot.last_entry_id = read.entries.back().id;
  read.rows.grants = {{"g1", "purchase", "", 100_credits, round_moment, never, 50},
                      {"g2", "correction", "", -10_credits, round_moment + 2s, never, 40}};
  for (const auto& entry : read.entries) {
    if (entry.type == entry_type::settle)
      read.counted.push_back({0, entry.who, entry.amount, 1, entry.used});
  }
  return read;
}

std::vector<difference> examine(const books& read) {
  audit proof;
  for (const auto& entry : read.entries) proof.add(entry);
  for (const auto& counter : read.counted) proof.count(counter);
  proof.finish(read.snapshot, read.rows);
  return proof.differences();
}

std::string first_difference(const books& read) {
  const auto found = examine(read);
  return found.empty() ? "none" : found.front().what;
}

TEST(audit, sound_books_are_proven) {
  EXPECT_EQ(first_difference(books_of(busy_account())), "none");
}

TEST(audit, an_account_without_entries_is_sound) {
  books none;
  none.snapshot.last_entry_id = "0-0";
  EXPECT_EQ(first_difference(none), "none");
}

TEST(audit, every_total_is_recomputed) {
  for (const auto total :
       {&account_row::granted, &account_row::settled, &account_row::held, &account_row::expired}) {
    auto read = books_of(busy_account());
    read.snapshot.row.*total += 1_micro;
    EXPECT_NE(first_difference(read), "none");
  }
}

TEST(audit, every_amount_and_balance_of_every_entry_counts) {
  const auto sound = books_of(busy_account());
  for (std::size_t i = 0; i < sound.entries.size(); ++i) {
    for (const auto amount : {&ledger_entry::amount, &ledger_entry::available}) {
      auto read = sound;
      read.entries[i].*amount += 1_micro;
      EXPECT_NE(first_difference(read), "none") << "entry " << i;
    }
  }
}

TEST(audit, no_entry_can_be_missing_or_stand_twice) {
  const auto sound = books_of(busy_account());
  for (std::size_t i = 0; i < sound.entries.size(); ++i) {
    auto without = sound;
    without.entries.erase(without.entries.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(first_difference(without), "none") << "without entry " << i;
    auto twice = sound;
    twice.entries.insert(twice.entries.begin() + static_cast<std::ptrdiff_t>(i), sound.entries[i]);
    EXPECT_NE(first_difference(twice), "none") << "entry " << i << " twice";
  }
}

TEST(audit, a_hold_resolves_once) {
  auto read = books_of(busy_account());
  auto again = read.entries.back();
  again.type = entry_type::void_hold;
  again.subject = hold(1).text();
  again.amount = 0_credits;  // the balance alone would not show it
  read.entries.push_back(again);
  EXPECT_EQ(first_difference(read), "entry " + again.id + ": hold " + again.subject);
}

TEST(audit, open_holds_are_those_the_entries_left_open) {
  auto read = books_of(busy_account());
  read.snapshot.holds.clear();
  EXPECT_EQ(first_difference(read), "hold " + std::string{hold(5).text()});
  read = books_of(busy_account());
  read.snapshot.holds.push_back({hold(6), 1_credits, round_moment, round_moment, "r", {}});
  EXPECT_EQ(first_difference(read), "hold " + std::string{hold(6).text()});
}

TEST(audit, settlements_say_their_overage) {
  auto read = books_of(busy_account());
  for (auto& entry : read.entries) entry.overage = 0_credits;
  EXPECT_EQ(first_difference(read), "used beyond all grants");
  read = books_of(busy_account());
  for (auto& entry : read.entries) {
    if (entry.type == entry_type::settle) entry.overage = entry.amount + 1_micro;
  }
  EXPECT_TRUE(first_difference(read).ends_with(": overage"));
}

TEST(audit, every_line_of_a_cycle_is_recomputed) {
  const auto sound = books_of(busy_account());
  ASSERT_EQ(first_difference(sound), "none");
  ASSERT_EQ(sound.snapshot.cycles.size(), 1u);
  for (const auto line :
       {&cycle_record::settled, &cycle_record::allocation, &cycle_record::purchase,
        &cycle_record::top_up, &cycle_record::promotion, &cycle_record::correction,
        &cycle_record::forfeited, &cycle_record::rolled_out, &cycle_record::rolled_in}) {
    auto read = sound;
    read.snapshot.cycles[0].*line += 1_micro;
    EXPECT_NE(first_difference(read), "none");
  }
  auto read = sound;
  read.snapshot.cycles[0].billed.push_back({1_micro, 1});
  EXPECT_EQ(first_difference(read), "cycle 0: billed at 1");
}

// Credits that roll over later, when a late call gives them back, join the earlier grant, or
// recreate it if it has been used up.
TEST(audit, what_is_left_of_a_rollover_is_what_rolled_over_last) {
  const auto named = [](credits left) {
    auto read = books_of(busy_account());
    auto entry = read.entries.back();
    entry.type = entry_type::roll_over;
    entry.note = "rollover:0";
    for (const auto amount : {100_credits, 20_credits, 3_credits}) {
      entry.amount = amount;
      read.entries.push_back(entry);
    }
    read.snapshot.grants.active = {
        {"rollover:0", "rollover", 10, round_moment + 1h, round_moment, left, left}};
    for (const auto& each : examine(read)) {
      if (each.what == "grant rollover:0 that is left: amount") return true;
    }
    return false;
  };
  for (const auto left : {3_credits, 23_credits, 123_credits})
    EXPECT_FALSE(named(left)) << to_string(left);
  for (const auto left : {1_credits, 20_credits, 100_credits, 120_credits, 124_credits}) {
    EXPECT_TRUE(named(left)) << to_string(left);
  }
}

TEST(audit, usage_counters_add_up_to_what_was_settled) {
  auto read = books_of(busy_account());
  read.counted[0].charged -= 1_micro;
  EXPECT_EQ(first_difference(read), "usage of    : credits");
}

TEST(audit, counters_may_run_ahead_while_the_account_is_in_use) {
  const auto examine_with = [](credits counted) {
    audit proof;
    account_snapshot snapshot;
    snapshot.last_entry_id = "0-0";
    ledger_entry later;
    later.type = entry_type::settle;
    later.amount = 7_credits;
    proof.count({0, {}, counted, 1, 0});
    proof.add_later(later);
    proof.finish(snapshot, {});
    return proof.differences().size();
  };
  EXPECT_EQ(examine_with(5_credits), 0u);
  EXPECT_EQ(examine_with(7_credits), 0u);
  EXPECT_EQ(examine_with(8_credits), 1u);
}

TEST(audit, keeps_no_more_differences_than_anybody_reads) {
  auto read = books_of(busy_account());
  for (int i = 0; i < 1'000; ++i) read.entries.push_back(read.entries[1]);
  EXPECT_EQ(examine(read).size(), audit::max_differences);
}

}  // namespace
}  // namespace tollgate::quota
