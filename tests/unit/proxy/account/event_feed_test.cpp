#include "proxy/account/event_feed.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include "tests/support/memory_store.hpp"

namespace tollgate::proxy::admin {
namespace {

using namespace std::chrono_literals;
using quota::credits;

// A feed that polls every few milliseconds, over a ledger in memory.
class event_feed_test : public testing::Test {
 protected:
  // Everything that a client reads, until `enough` or the end; after that it does nothing.
  struct client {
    std::shared_ptr<body_source> body;
    std::string text;
    bool ended = false;
    int refused = 0;
  };

  // Clients that wait for the next event keep their body alive.
  void TearDown() override {
    feed_.close();
    run_until([&] { return feed_.streams() == 0; });
    context_.poll();
  }

  std::shared_ptr<client> open(const std::string& org, std::optional<event_cursor> from = {}) {
    auto made = std::make_shared<client>();
    const auto reading = [](event_feed& feed, std::string name, std::optional<event_cursor> place,
                            std::shared_ptr<client> who) -> task<> {
      auto opened = co_await feed.open(std::move(name), std::move(place));
      if (!opened) who->refused = opened.error().status;
      if (!opened) co_return;
      who->body = *opened;
      for (;;) {
        const auto body = who->body;  // the test releases it to leave
        if (!body) co_return;
        const auto piece = co_await body->next();
        if (!piece) break;
        who->text += *piece;
      }
      who->ended = true;
    };
    asio::co_spawn(context_, reading(feed_, org, std::move(from), made), asio::detached);
    return made;
  }

  void run_until(const std::function<bool()>& done) {
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    while (!done() && std::chrono::steady_clock::now() < give_up) context_.run_one_for(20ms);
    EXPECT_TRUE(done());
  }
  void run_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) context_.run_one_for(5ms);
  }
  static bool has(const client& who, std::string_view text) {
    return who.text.find(text) != std::string::npos;
  }
  static int times(const client& who, std::string_view text) {
    int found = 0;
    for (auto at = who.text.find(text); at != std::string::npos; at = who.text.find(text, at + 1)) {
      ++found;
    }
    return found;
  }

  void charge(const std::string& org, std::int64_t whole) {
    quota::reserve hold;
    hold.id = quota::hold_id::make(store_.time, 7, ++calls_);
    hold.amount = credits::from_whole(whole);
    hold.timeout = std::chrono::minutes{1};
    hold.admit = quota::admission::owed;
    store_.account(org).apply(hold, store_.time);
    store_.account(org).apply(quota::settle{hold.id, hold.amount}, store_.time);
  }

  static feed_options quick() {
    feed_options options;
    options.tick = 5ms;
    options.heartbeat = 40ms;
    options.streams = 5;
    options.of_an_org = 3;
    return options;
  }

  asio::io_context context_{1};
  tests::memory_store store_;
  event_feed feed_{context_.get_executor(), store_, store_, quick()};
  std::uint64_t calls_ = 0;
};

TEST_F(event_feed_test, begins_with_the_balance_and_goes_on_with_what_happens) {
  charge("acme", 3);
  const auto who = open("acme");
  run_until([&] { return has(*who, "event: balance"); });
  EXPECT_TRUE(who->text.starts_with("retry: 1000\n\nid: ")) << who->text;
  EXPECT_TRUE(has(*who, R"("settled":3,)"));
  EXPECT_FALSE(has(*who, "event: usage"));
  charge("acme", 4);
  charge("acme", 5);
  run_until([&] { return has(*who, R"("settled":12,)"); });
  EXPECT_TRUE(has(*who, R"("data":{"credits":9,"calls":2})")) << who->text;
  EXPECT_FALSE(who->ended);
}

TEST_F(event_feed_test, tells_each_what_it_has_not_read_and_nothing_twice) {
  const auto first = open("acme");
  run_until([&] { return has(*first, "event: balance"); });
  charge("acme", 1);
  charge("acme", 2);
  run_until([&] { return has(*first, R"("settled":3,)"); });
  const auto from_the_start = open("acme", event_cursor{});
  const auto from_the_middle = open("acme", event_cursor{quota::stream_positions{"0-0", "2-0"}});
  run_until([&] { return has(*from_the_start, R"("settled":3,)"); });
  run_until([&] { return has(*from_the_middle, R"("settled":3,)"); });
  EXPECT_TRUE(has(*from_the_start, R"("data":{"credits":3,"calls":2})"));
  EXPECT_TRUE(has(*from_the_middle, R"("data":{"credits":2,"calls":1})"));
  charge("acme", 7);
  for (const auto& each : {first, from_the_start, from_the_middle}) {
    run_until([&] { return has(*each, R"("settled":10,)"); });
    EXPECT_EQ(times(*each, R"("data":{"credits":7,"calls":1})"), 1);
  }
}

TEST_F(event_feed_test, who_comes_again_and_missed_nothing_is_told_the_balance) {
  const auto first = open("acme");
  run_until([&] { return has(*first, "event: balance"); });
  charge("acme", 3);
  run_until([&] { return has(*first, R"("settled":3,)"); });
  const auto place = first->text.substr(first->text.rfind("id: ") + 4);
  const auto again = open("acme", event_cursor::parse(place.substr(0, place.find('\n'))));
  run_until([&] { return has(*again, R"("settled":3,)"); });
  EXPECT_FALSE(has(*again, "event: usage"));
  run_for(30ms);
  EXPECT_EQ(times(*again, "event: balance"), 1);
  charge("acme", 4);
  run_until([&] { return has(*again, R"("settled":7,)"); });
  EXPECT_EQ(times(*again, R"("data":{"credits":4,"calls":1})"), 1);
  EXPECT_EQ(times(*again, "event: balance"), 2);
}

TEST_F(event_feed_test, one_organization_hears_nothing_of_another) {
  const auto other = open("other");
  const auto who = open("acme");
  run_until([&] { return has(*who, "event: balance") && has(*other, "event: balance"); });
  charge("acme", 1);
  run_until([&] { return has(*who, "event: usage"); });
  run_for(30ms);
  EXPECT_FALSE(has(*other, "event: usage"));
}

TEST_F(event_feed_test, a_comment_keeps_a_quiet_stream_alive) {
  const auto who = open("acme");
  run_until([&] { return times(*who, ": nothing happened\n\n") >= 3; });
  EXPECT_EQ(times(*who, "event:"), 1);
}

TEST_F(event_feed_test, a_place_beyond_the_end_becomes_the_end_after_a_moment) {
  const auto who = open("acme", event_cursor{quota::stream_positions{"999-0", "999-0"}});
  run_until([&] { return who->body != nullptr; });
  // The number of ticks on a busy machine is unknown: an event before the place has become the end
  // is not sent, and the next one is.
  run_until([&] {
    if (!has(*who, "event: usage")) charge("acme", 1);
    run_for(30ms);
    return has(*who, "event: usage");
  });
}

// Entries are numbered by the millisecond here, as in Redis. Usage is sent again for 15 minutes.
TEST_F(event_feed_test, says_that_usage_is_missing_where_it_is_not_told_again) {
  const auto at = [](const char* entry) {
    return event_cursor{quota::stream_positions{"0-0", entry}};
  };
  store_.time = quota::time_point{2ms};
  charge("acme", 1);
  store_.time = quota::time_point{4ms};
  charge("acme", 2);
  store_.time = quota::time_point{15min + 3ms};
  const auto missed_nothing = open("acme", at("4-0"));
  run_until([&] { return has(*missed_nothing, "event: balance"); });
  run_for(30ms);
  EXPECT_EQ(times(*missed_nothing, "event:"), 1);
  EXPECT_EQ(store_.gaps_asked, 0);  // asked only if something may be missing
  const auto in_time = open("acme", at("2-0"));
  run_until([&] { return has(*in_time, R"("data":{"credits":2,"calls":1})"); });
  EXPECT_FALSE(has(*in_time, "event: gap"));

  store_.time = quota::time_point{15min + 5ms};
  const auto late = open("acme", at("2-0"));
  run_until([&] { return has(*late, R"("settled":3,)"); });
  EXPECT_TRUE(has(*late, R"("type":"gap",)") &&
              has(*late, R"("data":{"events":false,"usage":true}})"))
      << late->text;
  EXPECT_LT(late->text.find("event: gap"), late->text.find("event: balance"));
  charge("acme", 4);
  run_until([&] { return has(*late, R"("data":{"credits":4,"calls":1})"); });
  EXPECT_EQ(times(*late, "event: gap"), 1);
  EXPECT_FALSE(has(*late, R"("data":{"credits":2,)"));
}

TEST_F(event_feed_test, says_that_events_are_missing_before_it_goes_on_with_the_others) {
  for (const bool suspended : {true, false, true, false}) {
    store_.account("acme").set_suspended(suspended, store_.time);
  }
  charge("acme", 1);
  store_.forgotten_events = 2;
  const auto away = open("acme", event_cursor{quota::stream_positions{"1-0", "0-0"}});
  run_until([&] { return has(*away, R"("settled":1,)"); });
  EXPECT_TRUE(has(*away, R"("type":"gap",)") &&
              has(*away, R"("data":{"events":true,"usage":false}})"))
      << away->text;
  EXPECT_LT(away->text.find("event: gap"), away->text.find("event: account."));
  EXPECT_EQ(times(*away, "event: balance"), 1);
  const auto was_there = open("acme", event_cursor{quota::stream_positions{"2-0", "0-0"}});
  run_until([&] { return has(*was_there, R"("settled":1,)"); });
  EXPECT_FALSE(has(*was_there, "event: gap"));
}

TEST_F(event_feed_test, asks_what_is_missing_until_the_store_says_it) {
  store_.account("acme").set_suspended(true, store_.time);
  store_.forgotten_events = 1;
  const auto other = open("acme");
  run_until([&] { return has(*other, "event: balance"); });
  store_.reachable = false;
  const auto away = open("acme", event_cursor{});
  run_for(30ms);
  EXPECT_FALSE(has(*away, "event:"));
  store_.reachable = true;
  run_until([&] { return has(*away, "event: gap"); });
}

TEST_F(event_feed_test, there_are_so_many_of_an_organization_and_so_many_in_all) {
  std::vector<std::shared_ptr<client>> all{open("acme"), open("acme"), open("acme")};
  run_until([&] { return feed_.streams() == 3; });
  auto refused = open("acme");
  run_until([&] { return refused->refused == 429; });
  all.push_back(open("other"));
  all.push_back(open("third"));
  run_until([&] { return feed_.streams() == 5; });
  refused = open("fourth");
  run_until([&] { return refused->refused == 503; });
  all.front()->body->end();
  all.front()->body.reset();
  run_until([&] { return feed_.streams() == 4; });
  const auto next = open("fourth");
  run_until([&] { return has(*next, "event: balance"); });
}

TEST_F(event_feed_test, goes_on_when_the_store_comes_back) {
  store_.reachable = false;
  const auto refused = open("acme");
  run_until([&] { return refused->refused == 503; });
  store_.reachable = true;
  const auto who = open("acme");
  run_until([&] { return has(*who, "event: balance"); });
  store_.reachable = false;
  charge("acme", 1);
  run_for(30ms);
  EXPECT_FALSE(has(*who, "event: usage"));
  store_.reachable = true;
  run_until([&] { return has(*who, "event: usage"); });
}

TEST_F(event_feed_test, closing_ends_all_and_takes_no_more) {
  const auto who = open("acme"), other = open("other");
  run_until([&] { return has(*who, "event: balance") && has(*other, "event: balance"); });
  feed_.close();
  run_until([&] { return who->ended && other->ended; });
  const auto late = open("acme");
  run_until([&] { return late->refused == 503; });
}

}  // namespace
}  // namespace tollgate::proxy::admin
