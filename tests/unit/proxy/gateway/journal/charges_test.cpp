#include "proxy/gateway/journal/charges.hpp"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/gateway/journal/replay.hpp"

namespace tollgate::proxy::journal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct some_charge {
  explicit some_charge(std::uint64_t number) : money{terms(number)} {}
  static quota::charge::terms terms(std::uint64_t number) {
    quota::charge::terms terms;
    terms.id = quota::hold_id::make(quota::time_point{std::chrono::milliseconds{1'800'000'000'000}},
                                    0, number);
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

  // The journal as a process that starts now would find it: read in one go, and not while segments
  // are deleted.
  contents left() const {
    for (;;) {
      const auto files = segments_in(settings_.directory);
      auto found = read_journal(files);
      if (segments_in(settings_.directory) == files) return found;
    }
  }
  std::uintmax_t bytes() const {
    std::uintmax_t sum = 0;
    for (const auto& file : segments_in(settings_.directory)) {
      std::error_code gone;
      const auto size = fs::file_size(file, gone);
      if (!gone) sum += size;
    }
    return sum;
  }

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

TEST_F(journal_directory, notes_the_store_also_if_it_becomes_known_later) {
  const std::string mine(32, 'a'), another(32, 'b');
  keeper keep{settings_, 2};
  charges before{keep, 0};
  some_charge one{1}, two{2};
  before.open(one.written, 1);
  const auto files = [this] { return segments_in(settings_.directory); };
  EXPECT_EQ(sort_by_store(files(), mine).others.size(), 0u) << "not known yet";
  keep.belongs_to(mine);
  charges after{keep, 1};
  after.open(two.written, 1);
  EXPECT_EQ(sort_by_store(files(), mine).others.size(), 0u);
  for (const auto& store : {another, std::string{}}) {
    const auto sorted = sort_by_store(files(), store);
    EXPECT_EQ(sorted.other, mine);
    EXPECT_EQ(read_journal(sorted.others).charges.size(), 2u);
    EXPECT_EQ(read_journal(sorted.ours).charges.size(), 0u);
  }
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
    // The charge may be destroyed before its journal, as when a process ends.
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
  for (std::uint64_t i = 2; i < 120'000; ++i) {  // about 60 MB
    some_charge each{i};
    journal.open(each.written, 1);
    journal.confirm(each.written);
  }
  EXPECT_EQ(keep.unwritten(), 0);
  const auto found = left();
  ASSERT_EQ(found.charges.size(), 1u);
  EXPECT_EQ(found.charges[0].used, 9);
}

// A replay under the first id would find that too old, and charge nothing.
TEST_F(journal_directory, has_a_charge_under_the_id_that_it_is_held_as) {
  keeper keep{settings_, 1};
  charges journal{keep, 0};
  some_charge moved{1};
  const auto told = [&](quota::outcome result) {
    const auto later = moved.money.agreed().id.made_at() + std::chrono::hours{60};
    moved.money.resume(quota::charge::answered{{result, {}, {}}, later});
    journal.follow(moved.written);
  };
  moved.money.resume(quota::charge::begin{});
  told(quota::outcome::forgotten);  // the store's clock has jumped ahead
  told(quota::outcome::held);
  const auto renamed = moved.money.held_as();
  EXPECT_NE(renamed, moved.money.agreed().id);
  journal.open(moved.written, 1);
  ASSERT_EQ(left().charges.size(), 1u);
  EXPECT_EQ(left().charges[0].start.id, renamed);

  moved.money.resume(quota::charge::renewal_due{});
  told(quota::outcome::expired);  // and is reserved again: until that is confirmed, the last one
                                  // counts
  EXPECT_EQ(left().charges[0].start.id, renamed);
  told(quota::outcome::held);
  journal.use(moved.written, 5);
  ASSERT_EQ(left().charges.size(), 1u);
  EXPECT_EQ(left().charges[0].start.id, renamed.successor());
  EXPECT_EQ(left().charges[0].used, 5);
  journal.confirm(moved.written);
  EXPECT_TRUE(left().charges.empty());
  EXPECT_EQ(journal.unconfirmed(), 0u);
}

TEST_F(journal_directory, is_no_larger_than_it_may_be_however_many_write_to_it) {
  for (const int workers : {1, 2, 7, 64}) {
    SCOPED_TRACE(workers);
    settings_.directory = root_ + "/of" + std::to_string(workers);
    settings_.max_bytes = 16 << 20;
    keeper keep{settings_, workers};
    std::vector<std::unique_ptr<charges>> journals;
    for (int i = 0; i < workers; ++i) journals.push_back(std::make_unique<charges>(keep, i));
    std::vector<std::unique_ptr<some_charge>> lasting;
    for (std::uint64_t i = 0; i < 60'000; ++i) {  // about 20 MB
      auto& journal = *journals[i % static_cast<std::size_t>(workers)];
      auto each = std::make_unique<some_charge>(i);
      journal.open(each->written, 1);
      if (i % 50 == 0) {
        lasting.push_back(std::move(each));
      } else {
        journal.confirm(each->written);
      }
      if (i % 500 == 0) {
        ASSERT_LE(bytes(), settings_.max_bytes);
      }
    }
    EXPECT_EQ(keep.unwritten(), 0);
    EXPECT_EQ(left().charges.size(), lasting.size());
    for (auto& each : lasting) each->written.unlink();
  }
}

TEST_F(journal_directory, too_small_a_maximum_is_an_error_that_says_how_much_it_takes) {
  settings_.max_bytes = 16 << 20;
  try {
    keeper keep{settings_, 128};
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("too small for 128 threads"));
    EXPECT_THAT(error.what(), HasSubstr("32768KiB in all"));
  }
}

// A charge that is to be voided is not charged, whether or not there is room to record that.
TEST_F(journal_directory, voids_what_ended_so_when_it_is_full) {
  settings_.max_bytes = 1 << 20;
  keeper keep{settings_, 1};
  charges journal{keep, 0};
  std::vector<std::unique_ptr<some_charge>> open;
  while (keep.unwritten() == 0) {
    open.push_back(std::make_unique<some_charge>(open.size()));
    journal.open(open.back()->written, 1);
  }
  for (auto& each : open) journal.end(each->written, false, 0);
  const auto found = left();
  EXPECT_TRUE(found.damaged.empty());
  EXPECT_EQ(found.charges.size(), open.size() - 1);
  for (const auto& each : found.charges) EXPECT_FALSE(each.settles);
}

TEST_F(journal_directory, voids_what_ended_so_when_the_disk_has_no_room) {
  keeper keep{settings_, 1};
  charges journal{keep, 0};
  fs::rename(settings_.directory, root_ + "/moved");  // no segment can be created any more
  std::vector<std::unique_ptr<some_charge>> open;
  while (keep.unwritten() == 0) {
    open.push_back(std::make_unique<some_charge>(open.size()));
    journal.open(open.back()->written, 1);
  }
  for (auto& each : open) journal.end(each->written, false, 0);
  const auto found = read_journal(segments_in(root_ + "/moved"));
  EXPECT_TRUE(found.damaged.empty());
  EXPECT_EQ(found.charges.size(), open.size() - 1);
  for (const auto& each : found.charges) EXPECT_FALSE(each.settles);
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
  EXPECT_LE(bytes(), settings_.max_bytes);
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
