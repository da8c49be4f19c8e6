#include <limits>

#include "tests/simulation/stories.hpp"

namespace tollgate::tests {

using namespace quota;

namespace {

constexpr std::size_t ids_remembered = 60;

struct crowd {
  account books;
  std::vector<hold_id> ids;
  std::vector<std::string> grants;
  std::vector<operation> outbox;
};

class chaos {
 public:
  chaos(dice& dice, const script_of_a_day& day)
      : dice_{dice}, day_{day}, world_{dice, day.durable} {
    for (const char* org : {"acme", "x", "an.org_with-all.64"}) {
      crowds_.emplace_back().books.org = org;
    }
  }

  void run() {
    for (std::size_t step = 0; step < day_.steps; ++step) {
      auto& crowd = crowds_[dice_.below(crowds_.size())];
      const auto issued = dice_.chance(100) ? dice_.below(60) : dice_.below(8);
      for (std::size_t i = 0; i < issued; ++i) crowd.outbox.push_back(any_operation(crowd));
      deliver(crowd);
      if (dice_.chance(20)) world_.suspend(crowd.books, dice_.chance(300));
      if (dice_.chance(20)) world_.compare_everything(crowd.books);
      if (dice_.chance(50)) world_.pass(milliseconds{dice_.between(1, 6)});
      if (day_.durable && dice_.chance(10)) crash();
      if (disturb(world_, dice_, day_)) compare_everybody();
    }
    compare_everybody();
  }

 private:
  void compare_everybody() {
    for (auto& crowd : crowds_) world_.compare_everything(crowd.books);
    world_.compare_everything(unlucky_);
  }

  // Some waiting messages in any order; some of them will come again.
  void deliver(crowd& crowd) {
    std::vector<operation> batch;
    const auto wanted =
        dice_.chance(30) ? redis::ledger_batch::max_operations : 1 + dice_.below(20);
    while (!crowd.outbox.empty() && batch.size() < wanted) {
      const auto which = dice_.below(crowd.outbox.size());
      batch.push_back(crowd.outbox[which]);
      if (dice_.chance(150)) continue;
      std::swap(crowd.outbox[which], crowd.outbox.back());
      crowd.outbox.pop_back();
    }
    if (!batch.empty()) world_.apply(crowd.books, batch);
  }

  // In an account of its own, whose holds do not expire: so the effect of half a batch is known
  // exactly.
  void crash() {
    std::vector<operation> batch;
    const auto size = 1 + dice_.below(100);
    for (std::size_t i = 0; i < size; ++i) {
      const auto id = dice_.next_hold_id(world_.now());
      batch.push_back(reserve{id, credits::from_micro(1), std::chrono::hours{1}, admission::owed,
                              dice_.next_hex128(), anybody()});
    }
    world_.crash_during(unlucky_, batch);
  }

  operation any_operation(crowd& crowd) {
    switch (dice_.below(20)) {
      case 0:
        return expire_holds{};
      case 1:
        return any_grant(crowd);
      case 2:
      case 3:
        return void_hold{known_id(crowd)};
      case 4:
      case 5:
        if (dice_.chance(300)) return release{known_id(crowd), any_amount()};
        return extend{known_id(crowd), any_amount(), any_timeout(),
                      any_admission(), any_amount(), any_answer()};
      case 6:
      case 7:
      case 8:
      case 9:
      case 10:
        return settle{known_id(crowd), any_amount(), any_use(), dice_.chance(500) ? 0 : any_use()};
      case 11:
        return any_reserve(known_id(crowd));
      default:
        return any_reserve(new_id(crowd));
    }
  }

  operation any_reserve(const hold_id& id) {
    return reserve{id,       any_amount(), any_timeout(), any_admission(), dice_.next_hex128(),
                   anybody()};
  }

  operation any_grant(crowd& crowd) {
    static const std::vector<std::string> kinds{"purchase", "promotion", "correction"};
    if (crowd.grants.empty() || dice_.chance(700)) {
      crowd.grants.push_back("grant-" + std::to_string(crowd.grants.size()));
    }
    const auto amount = dice_.chance(50) ? credits::from_micro(credits::max_micro) : any_amount();
    return grant{dice_.pick(crowd.grants), dice_.chance(200) ? -amount : amount, dice_.pick(kinds),
                 dice_.chance(500) ? "" : "a note, \"quoted\" and {braced}"};
  }

  hold_id new_id(crowd& crowd) {
    auto at = world_.now();
    if (dice_.chance(40)) at += std::chrono::hours{dice_.between(-60, 2)};
    if (crowd.ids.size() >= ids_remembered) {
      std::swap(crowd.ids[dice_.below(crowd.ids.size())], crowd.ids.back());
      crowd.ids.pop_back();
    }
    crowd.ids.push_back(dice_.next_hold_id(at));
    return crowd.ids.back();
  }

  hold_id known_id(crowd& crowd) {
    if (crowd.ids.empty() || dice_.chance(20)) return new_id(crowd);
    return dice_.pick(crowd.ids);
  }

  credits any_amount() {
    constexpr auto most = credits::max_micro;
    static const std::vector<std::int64_t> edges{most,
                                                 most + 1,
                                                 most - 1,
                                                 most / 2,
                                                 -1,
                                                 std::numeric_limits<std::int64_t>::max(),
                                                 std::numeric_limits<std::int64_t>::min() / 4};
    if (dice_.chance(20)) return credits::from_micro(dice_.pick(edges));
    if (dice_.chance(50)) return credits{};
    if (dice_.chance(300)) return credits::from_whole(10);
    return credits::from_micro(dice_.between(1, 40'000'000));
  }

  milliseconds any_timeout() {
    if (dice_.chance(10)) return milliseconds{0};
    if (dice_.chance(10)) return max_hold_timeout + milliseconds{dice_.between(0, 1)};
    return milliseconds{dice_.chance(600) ? dice_.between(1, 25) : 60'000};
  }

  admission any_admission() {
    return dice_.chance(700) ? admission::enforce : static_cast<admission>(dice_.below(4));
  }

  std::int64_t any_use() {
    if (dice_.chance(10)) return dice_.chance(500) ? -1 : max_used + 1;
    return dice_.chance(10) ? max_used : dice_.between(0, 5'000'000);
  }

  std::optional<use> any_answer() {
    if (dice_.chance(500)) return std::nullopt;
    return use{any_amount(), any_use(), dice_.chance(500) ? 0 : any_use()};
  }

  attribution anybody() {
    static const std::vector<std::string> models{"gpt-4o", "claude", ""};
    static const std::vector<std::string> agents{"", "a1", "agent two, with spaces",
                                                 "\xC3\xA9t\xC3\xA9"};
    static const std::vector<std::string> conversations{"c1", "c2", "c3", ""};
    return {"chat", "llm", dice_.pick(models), dice_.pick(agents), dice_.pick(conversations),
            "key_1"};
  }

  dice& dice_;
  const script_of_a_day& day_;
  world world_;
  std::vector<crowd> crowds_;
  account unlucky_{"unlucky"};
};

}  // namespace

void run_chaos(dice& dice, const script_of_a_day& day) {
  chaos{dice, day}.run();
}

bool disturb(world& world, dice& dice, const script_of_a_day& day) {
  if (dice.chance(5)) world.forget_library();
  if (dice.chance(5)) world.misjudge_clock();
  if (dice.chance(5)) world.reconnect();
  const bool restarted = day.durable && dice.chance(10);
  if (restarted) world.restart();
  return restarted;
}

}  // namespace tollgate::tests
