// A clock that is set back between two related steps, one case after another.
#include <iostream>

#include "quota/redis/rows.hpp"
#include "tests/simulation/stories.hpp"
#include "tests/support/describe.hpp"

namespace tollgate::tests {

using namespace quota;
using namespace std::chrono_literals;

namespace {

constexpr auto most = credits::from_whole(10);

class set_back {
 public:
  explicit set_back(dice& dice) : dice_{dice}, world_{dice, false} {}

  void run() {
    for (const auto per :
         {limit_window::hour, limit_window::day, limit_window::cycle, limit_window::total}) {
      for (const char* id : {"a1", "*"}) {
        limit_ = {limit_scope::agent, id, most, per};
        begin();
        hold_from_before_the_limit();
        begin();
        limit_set_by_a_clock_that_was_ahead();
        begin();
        limit_set_anew_in_the_same_moment();
        begin();
        window_that_comes_again();
        begin();
        rows_of_an_earlier_release();
        begin();
        counters_that_an_earlier_release_counted_twice();
      }
    }
    begin();
    hold_from_before_the_first_cycle();
    begin();
    credits_kept_for_a_hold();
    begin(false);
    grant_from_before_the_first_cycle();
    std::cout << "  set back: " << count_ << " cases\n";
  }

 private:
  void begin(bool funded = true) {
    ++count_;
    world_.pass(50h);
    books_ = account{};
    books_.org = "o" + std::to_string(count_);
    if (funded)
      world_.apply(books_, {grant{"g", credits::from_whole(1'000), "purchase", "", never, {}}});
  }
  void configure_with(std::vector<spend_limit> limits) {
    account_options options;
    options.limits = std::move(limits);
    world_.apply(books_, {configure{plan_terms{}, true, options, 0}});
  }
  hold_id place(credits amount, outcome expected = outcome::held) {
    const auto id = dice_.next_hold_id(world_.time());
    const attribution who{"chat", "llm", "gpt-4", "a1", "c1", "k1"};
    expect(world_.apply(books_, {reserve{id, amount, 160h, admission::enforce, "q", who}}),
           expected);
    return id;
  }
  void expect(const std::vector<answer>& given, outcome expected) const {
    if (given.back().result == expected) return;
    throw disagreement{"case " + std::to_string(count_) + ", limit in " +
                       std::string{to_string(limit_.per)} + " of " + limit_.id + ": " +
                       describe(given.back()) + ", expected " + std::string{to_string(expected)}};
  }
  // The limit has exactly this room, and not a micro-credit more.
  void expect_room(credits room) {
    place(room + credits::from_micro(1), outcome::limit_reached);
    const auto whole = place(room);
    world_.apply(books_, {void_hold{whole}});
    finish();
  }
  void finish() {
    world_.compare_everything(books_);
    for (const auto& found : world_.verify(books_)) {
      throw disagreement{"case " + std::to_string(count_) + ": " + found.what + ": recorded " +
                         found.recorded + ", proven " + found.proven};
    }
  }

  // --- limits ---

  void hold_from_before_the_limit() {
    configure_with({});
    world_.pass(2h);
    const auto from_before = place(credits::from_whole(7)), settled = place(credits::from_whole(4)),
               grows = place(credits::from_whole(1));
    world_.pass(-2h);
    configure_with({limit_});
    place(credits::from_whole(2));
    world_.pass(2h);
    world_.apply(books_, {extend{grows, credits::from_whole(3), 160h, admission::enforce},
                          void_hold{from_before}, settle{settled, credits::from_whole(1), 1}});
    world_.pass(-2h);
    expect_room(credits::from_whole(8));
  }

  void limit_set_by_a_clock_that_was_ahead() {
    configure_with({});
    world_.pass(90min);
    configure_with({limit_});
    world_.pass(-90min);
    const auto counted = place(credits::from_whole(6));
    place(credits::from_whole(5), outcome::limit_reached);
    world_.apply(books_, {extend{counted, credits::from_whole(7), 160h, admission::enforce}});
    expect_room(credits::from_whole(3));
    world_.apply(books_, {settle{counted, credits::from_whole(2), 1}});
    expect_room(credits::from_whole(8));
  }

  void limit_set_anew_in_the_same_moment() {
    configure_with({limit_});
    const auto of_the_first = place(credits::from_whole(6));
    world_.pass(1s);
    configure_with({});
    world_.pass(-1s);
    configure_with({limit_});
    expect_room(most);
    world_.apply(books_, {void_hold{of_the_first}});
    expect_room(most);
  }

  // A clock that is set back leaves a window, another window is counted, and the first returns: it
  // is counted from zero.
  void window_that_comes_again() {
    configure_with({limit_});
    world_.pass(49h);
    const auto first = place(credits::from_whole(6));
    world_.pass(-49h);
    const auto second = place(credits::from_whole(3));
    world_.pass(49h);
    const auto third = place(credits::from_whole(1));
    world_.apply(books_, {void_hold{first}, void_hold{second}});
    expect_room(credits::from_whole(9));
    world_.apply(books_, {void_hold{third}});
    expect_room(most);
  }

  // Early releases wrote no sequence: they compared the times, and the result of that comparison is
  // recorded.
  void write_as_before() {
    const auto written_so = [&](const char* part, char separator, std::size_t words) {
      const auto key = redis::key_of(books_.org, part);
      const auto all = world_.ask({"HGETALL", key});
      const auto texts = redis::elements_of(*all);
      for (std::size_t i = 0; i + 1 < texts.size(); i += 2) {
        std::string text{redis::text_of(*texts[i + 1])};
        std::size_t from = 0;
        for (std::size_t word = 0; word < words; ++word) from = text.find(' ', from) + 1;
        const auto begin = text.find(separator, from == 0 ? 0 : from - 1);
        if (begin != text.npos) text.erase(begin, text.find(' ', begin + 1) - begin);
        world_.ask({"HSET", key, std::string{redis::text_of(*texts[i])}, text});
      }
    };
    written_so("holds", '/', 3);
    if (limit_.per != limit_window::total) written_so("counters", ' ', 3);
    world_.ask({"HDEL", redis::key_of(books_.org, "account"), "sequence"});
  }

  void rows_of_an_earlier_release() {
    configure_with({});
    world_.pass(-1h);
    const auto from_before = place(credits::from_whole(4));
    world_.pass(1h);
    configure_with({limit_});
    world_.pass(1s);
    const auto counted = place(credits::from_whole(6));
    write_as_before();
    world_.compare_everything(books_);
    world_.apply(books_, {extend{counted, credits::from_whole(7), 160h, admission::enforce}});
    place(credits::from_whole(4), outcome::limit_reached);
    world_.apply(books_, {void_hold{from_before}});
    expect_room(credits::from_whole(3));
    world_.apply(books_, {settle{counted, credits::from_whole(2), 1}});
    expect_room(credits::from_whole(8));
  }

  // Each of two limits that share a counter had counted every hold. The surplus of open holds is
  // given back once.
  void counters_that_an_earlier_release_counted_twice() {
    auto wider = limit_;
    wider.most = credits::from_whole(20);
    configure_with({limit_, wider});
    world_.pass(1s);
    const auto counted = place(credits::from_whole(4));
    write_as_before();
    const auto key = redis::key_of(books_.org, "counters");
    const auto all = world_.ask({"HGETALL", key});
    const auto texts = redis::elements_of(*all);
    for (std::size_t i = 0; i + 1 < texts.size(); i += 2) {
      std::string text{redis::text_of(*texts[i + 1])};
      const auto at = text.find(" 4000000 ");
      if (at == text.npos) throw disagreement{"no counter of four credits: " + text};
      world_.ask(
          {"HSET", key, std::string{redis::text_of(*texts[i])}, text.replace(at, 9, " 8000000 ")});
    }
    world_.apply(books_, {extend{counted, credits::from_whole(4), 160h, admission::enforce}});
    expect_room(credits::from_whole(6));
    world_.apply(books_, {void_hold{counted}});
    expect_room(most);
  }

  // --- cycles and credits ---

  void hold_from_before_the_first_cycle() {
    world_.pass(40 * 24h);
    const auto early = place(credits::from_whole(5));
    world_.pass(-40 * 24h);
    configure_with({});
    world_.apply(books_, {extend{early, credits::from_whole(5), 167h, admission::enforce}});
    while (books_.oracle.plan()->cycle == 0) {
      world_.pass(100h);
      world_.apply(books_, {extend{early, credits::from_whole(5), 167h, admission::enforce}});
    }
    world_.compare_everything(books_);
    world_.pass(20 * 24h - 1h);
    world_.pass(-20 * 24h + 1h);
    world_.apply(books_, {settle{early, credits::from_whole(4), 1}});
    if (books_.oracle.entries().back().cycle != 0)
      throw disagreement{"a hold from before the first cycle changed its cycle"};
    finish();
  }

  void credits_kept_for_a_hold() {
    world_.pass(100h);
    world_.apply(
        books_, {grant{"short", credits::from_whole(50), "promotion", "", world_.time() - 40h, 0}});
    const auto early = place(credits::from_whole(20));
    world_.pass(-100h);
    world_.apply(books_,
                 {grant{"soon", credits::from_whole(50), "promotion", "", world_.time() + 50h, 0}});
    world_.pass(60h);
    world_.apply(books_, {expire_holds{}});
    if (books_.oracle.grants().kept_total() != credits::from_whole(20))
      throw disagreement{"nothing was kept for the hold"};
    world_.apply(books_, {settle{early, credits::from_whole(20), 1}});
    if (books_.oracle.row().available() != credits::from_whole(1'000)) {
      throw disagreement{"what was kept for the hold was not used by it: " +
                         describe(books_.oracle.row())};
    }
    finish();
  }

  // Credits of the first cycle that a late call uses are not billed as overage.
  void grant_from_before_the_first_cycle() {
    world_.pass(80 * 24h);
    world_.apply(books_, {grant{"ahead", credits::from_whole(100), "purchase", "", never, {}}});
    world_.pass(-80 * 24h);
    world_.apply(books_, {configure{plan_terms{"p", credits{}, 0, 0, 10'000, 0, 0, 0}, true,
                                    account_options{}, 0}});
    const auto late = place(credits::from_whole(50));
    while (books_.oracle.plan()->cycle == 0) {
      world_.pass(100h);
      world_.apply(books_, {extend{late, credits::from_whole(50), 167h, admission::enforce}});
    }
    world_.apply(books_, {settle{late, credits::from_whole(50), 1}});
    const auto& last = books_.oracle.entries().back();
    if (last.type != entry_type::settle || last.overage != credits{})
      throw disagreement{"a late call was billed while there were credits of its cycle"};
    finish();
  }

  dice& dice_;
  world world_;
  account books_;
  spend_limit limit_;
  int count_ = 0;
};

}  // namespace

void run_set_back(dice& dice, const script_of_a_day& day) {
  static_cast<void>(day);
  set_back{dice}.run();
}

}  // namespace tollgate::tests
