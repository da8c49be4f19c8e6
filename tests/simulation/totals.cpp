#include <algorithm>
#include <iostream>

#include "quota/redis/rows.hpp"
#include "tests/simulation/stories.hpp"

namespace tollgate::tests {

using namespace quota;
using namespace std::chrono_literals;

namespace {

constexpr auto most_of_a_conversation = credits::from_whole(20),
               most_of_an_agent = credits::from_whole(1'000);

class totals {
 public:
  totals(dice& dice, const script_of_a_day& day)
      : dice_{dice}, day_{day}, world_{dice, day.durable} {
    books_.org = "acme";
    world_.apply(books_, {grant{"g", credits::from_whole(1'000'000'000), "purchase", ""},
                          configure{{}, true, options(), 0}});
  }

  void run() {
    for (std::size_t step = 0; step < day_.steps; ++step) {
      world_.apply(books_, batch());
      world_.pass(milliseconds{dice_.between(0, 600'000)});
      if (dice_.chance(2)) change_limits();
      if (dice_.below(day_.steps / 10 + 1) == 0) world_.compare_everything(books_);
      disturb(world_, dice_, day_);
    }
    const auto away = packed();
    if (away > 0) alter_packed();
    compare_every_total();
    world_.compare_everything(books_);
    std::cout << "  reached: " << names_ << " conversations, of which " << counted_
              << " have used credits, " << away << " pages\n";
    if (day_.steps >= 500 && away < 5) throw disagreement{"no totals were packed"};
  }

 private:
  static account_options options() {
    account_options options;
    options.limits = {{limit_scope::conversation, "*", most_of_a_conversation, limit_window::total},
                      {limit_scope::agent, "*", most_of_an_agent, limit_window::total},
                      {limit_scope::conversation, "*", credits::from_whole(15), limit_window::day}};
    return options;
  }

  // Limits that are removed and added again count from zero; the counts of the others stay.
  void change_limits() {
    auto others = options();
    others.limits.erase(others.limits.begin() + 1);
    world_.apply(books_, {configure{{}, true, others, 0}, configure{{}, true, options(), 0}});
  }

  // Most conversations are new; some return, much later.
  std::vector<operation> batch() {
    std::vector<operation> all;
    for (auto n = 1 + dice_.below(12); n > 0; --n) {
      const auto name = names_ == 0 || dice_.chance(600) ? names_++ : dice_.below(names_);
      const auto id = dice_.next_hold_id(world_.now());
      const auto amount = credits::from_micro(dice_.between(0, 12'000'000));
      all.push_back(reserve{id, amount, milliseconds{dice_.between(1, 900'000)}, admission::enforce,
                            "q", caller(name)});
      open_.push_back(id);
      if (dice_.chance(300)) all.push_back(extend{dice_.pick(open_), amount + amount, 60'000ms});
      if (dice_.chance(600))
        all.push_back(settle{dice_.pick(open_), credits::from_micro(dice_.between(0, 9'000'000))});
      if (dice_.chance(100)) all.push_back(void_hold{dice_.pick(open_)});
      if (open_.size() > 30) open_.erase(open_.begin());
    }
    return all;
  }
  static attribution caller(std::size_t name) {
    return {"chat", "llm", "gpt-4", "a" + std::to_string(name % 50), "c" + std::to_string(name),
            "key_1"};
  }

  // The refusal of a hold larger than any limit contains the rest of this caller's limit.
  void compare_every_total() {
    world_.pass(24h);
    std::vector<operation> asked;
    for (std::size_t name = 0; name < names_; ++name) {
      const auto id = dice_.next_hold_id(world_.now());
      asked.push_back(reserve{id, most_of_an_agent + most_of_an_agent, 1ms, admission::enforce, "q",
                              caller(name)});
      if (asked.size() < 100 && name + 1 < names_) continue;
      for (const auto& answer : world_.apply(books_, asked)) {
        if (!answer.why || answer.result != outcome::limit_reached)
          throw disagreement{"a total is missing"};
        if (answer.why->room < most_of_a_conversation) ++counted_;
      }
      asked.clear();
    }
    if (counted_ * 5 < names_) throw disagreement{"hardly a conversation has used anything"};
  }

  std::size_t packed() {
    const auto fields = world_.ask({"HKEYS", redis::key_of(books_.org, "counters")});
    const auto all = redis::elements_of(*fields);
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [](const auto* field) { return redis::text_of(*field).starts_with('p'); }));
  }

  // Each part of the packed totals, altered: `verify` names it.
  void alter_packed() {
    const std::string limit{"13\t*\t"};
    const auto key = redis::key_of(books_.org, "counters");
    const auto table = text_of("n" + limit);
    const auto count = table.rfind(' ') + 1;
    expect_named("n" + limit,
                 table.substr(0, count) + std::to_string(std::stoll(table.substr(count)) + 1));
    const auto fields = world_.ask({"HKEYS", key});
    for (const auto* each : redis::elements_of(*fields)) {
      const std::string field{redis::text_of(*each)};
      const auto page = field.starts_with("p" + limit) ? text_of(field) : std::string{};
      const auto first = page.find(' ') + 1;
      if (first == 0 || first == page.size()) continue;
      for (const std::size_t place : {std::size_t{0}, std::size_t{9}, std::size_t{10}}) {
        auto altered = page;
        altered[first + place] = static_cast<char>(altered[first + place] ^ 1);
        expect_named(field, altered);
      }
      return expect_named(field, page.substr(0, page.size() - 18));
    }
    throw disagreement{"there is no page with totals"};
  }
  std::string text_of(const std::string& field) {
    return std::string{
        redis::text_of(*world_.ask({"HGET", redis::key_of(books_.org, "counters"), field}))};
  }
  void expect_named(const std::string& field, const std::string& altered) {
    const auto key = redis::key_of(books_.org, "counters");
    const auto before = text_of(field);
    world_.ask({"HSET", key, field, altered});
    if (world_.verify(books_).empty()) throw disagreement{field + " was altered, and is not named"};
    world_.ask({"HSET", key, field, before});
  }

  dice& dice_;
  const script_of_a_day& day_;
  world world_;
  account books_;
  std::vector<hold_id> open_;
  std::size_t names_ = 0, counted_ = 0;
};

}  // namespace

void run_totals(dice& dice, const script_of_a_day& day) {
  totals{dice, day}.run();
}

}  // namespace tollgate::tests
