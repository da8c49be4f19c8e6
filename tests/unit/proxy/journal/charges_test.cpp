#include "proxy/journal/charges.hpp"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/journal/replay.hpp"

namespace tollgate::proxy::journal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct some_charge {
  explicit some_charge(std::uint64_t number) : money{terms(number)} {}
  static quota::charge::terms terms(std::uint64_t number) {
    quota::charge::terms terms;
    terms.id = quota::hold_id::make(quota::time_point{std::chrono::milliseconds{1'800'000'000'000}}, 0, number);
    terms.price_at.price = quota::credits::from_micro(2'000'000);
    terms.request_id = "request";
    terms.who.agent = std::string(200, 'a');
    return terms;
  }
  quota::org_id org = "acme";
  quota::charge money;
  entry written{org, money};
};

class journal_directory : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tollgate-journal-XXXXXX";
    root_ = mkdtemp(name);
    settings_.directory = root_ + "/journal";
    settings_.sync_every = std::chrono::milliseconds{20};
  }
  void TearDown() override { fs::remove_all(root_); }

  // As a process that starts now would find it.
  contents left() const { return read_journal(segments_in(settings_.directory)); }

  std::string root_;
  config::journal_settings settings_;
};

TEST_F(journal_directory, has_what_is_not_confirmed) {
  keeper keep{settings_, 1};
  charges journal{keep, 0};
  some_charge one{1}, two{2}, three{3}, four{4};
  journal.open(one.written, 1);
  journal.open(two.written, 1);
  journal.use(two.written, 3);
  journal.open(three.written, 1);
  journal.end(three.written, false, 0);
  journal.open(four.written, 1);
  journal.confirm(four.written);
  const auto found = left();
  ASSERT_EQ(found.charges.size(), 3u);
  EXPECT_EQ(found.charges[0].start.id, one.money.agreed().id);
  EXPECT_EQ(found.charges[0].used, 1);
  EXPECT_TRUE(found.charges[0].settles);
  EXPECT_EQ(found.charges[1].used, 3);
  EXPECT_FALSE(found.charges[2].settles);
  EXPECT_TRUE(found.damaged.empty());
  EXPECT_EQ(journal.unconfirmed(), 3u);
}

TEST_F(journal_directory, what_is_counted_takes_the_place_of_an_estimate) {
  keeper keep{settings_, 1};
  charges journal{keep, 0};
  some_charge speech{1};
  journal.open(speech.written, 10'000'000);
  EXPECT_EQ(left().charges.at(0).used, 10'000'000);
  journal.use(speech.written, 2'000'000);
  EXPECT_EQ(left().charges.at(0).used, 2'000'000);
}

TEST_F(journal_directory, a_call_that_ends_before_it_was_opened_is_written_when_it_is_charged) {
  keeper keep{settings_, 1};
  charges journal{keep, 0};
  some_charge paid{1}, free{2};
  journal.end(paid.written, true, 7);
  journal.end(free.written, false, 0);
  const auto found = left();
  ASSERT_EQ(found.charges.size(), 1u);
  EXPECT_EQ(found.charges[0].used, 7);
}

TEST_F(journal_directory, is_empty_when_all_is_confirmed) {
  {
    keeper keep{settings_, 2};
    charges first{keep, 0}, second{keep, 1};
    some_charge one{1}, two{2};
    first.open(one.written, 1);
    second.open(two.written, 1);
    first.confirm(one.written);
    second.confirm(two.written);
  }
  EXPECT_TRUE(segments_in(settings_.directory).empty());
}

TEST_F(journal_directory, keeps_what_is_open_when_the_process_ends) {
  {
    keeper keep{settings_, 1};
    charges journal{keep, 0};
    some_charge one{1};
    journal.open(one.written, 1);
    // The charge may go before its journal, as when a process ends.
  }
  {
    keeper keep{settings_, 1};
    EXPECT_EQ(keep.left_behind().size(), 1u);
  }
}

TEST_F(journal_directory, stays_small_while_one_call_lasts) {
  settings_.max_bytes = 16 << 20;
  keeper keep{settings_, 1};
  charges journal{keep, 0};
  some_charge lasting{1};
  journal.open(lasting.written, 1);
  journal.end(lasting.written, true, 9);
  for (std::uint64_t i = 2; i < 120'000; ++i) {  // some 60 MB
    some_charge each{i};
    journal.open(each.written, 1);
    journal.confirm(each.written);
  }
  EXPECT_EQ(keep.unwritten(), 0);
  const auto found = left();
  ASSERT_EQ(found.charges.size(), 1u);
  EXPECT_EQ(found.charges[0].used, 9);
}

TEST_F(journal_directory, goes_on_without_when_it_is_full_and_says_how_often) {
  settings_.max_bytes = 8 << 20;
  keeper keep{settings_, 1};
  charges journal{keep, 0};
  std::vector<std::unique_ptr<some_charge>> open;
  for (std::uint64_t i = 0; i < 60'000; ++i) {
    open.push_back(std::make_unique<some_charge>(i));
    journal.open(open.back()->written, 1);
  }
  EXPECT_GT(keep.unwritten(), 0);
  std::uintmax_t bytes = 0;
  for (const auto& file : segments_in(settings_.directory)) bytes += fs::file_size(file);
  EXPECT_LE(bytes, 20u << 20);
  for (auto& each : open) journal.confirm(each->written);
  const auto before = keep.unwritten();
  some_charge next{99'999'999};
  journal.open(next.written, 1);
  EXPECT_EQ(keep.unwritten(), before);
  EXPECT_TRUE(next.written.written());
}

TEST_F(journal_directory, belongs_to_one_process) {
  keeper keep{settings_, 1};
  try {
    keeper another{settings_, 1};
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr(settings_.directory));
    EXPECT_THAT(error.what(), HasSubstr("another Tollgate (pid " + std::to_string(getpid())));
  }
}

TEST_F(journal_directory, one_that_cannot_be_made_is_an_error_that_names_it) {
  std::ofstream{root_ + "/file"} << "";
  settings_.directory = root_ + "/file/journal";
  try {
    keeper keep{settings_, 1};
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr(settings_.directory));
  }
}

}  // namespace
}  // namespace tollgate::proxy::journal
