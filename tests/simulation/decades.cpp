// Thirty years of organizations that use a billion credits and more every month: beyond every
// lifetime sum that a double can count.
#include <algorithm>

#include "quota/money.hpp"
#include "tests/simulation/stories.hpp"

namespace tollgate::tests {

using namespace quota;
using namespace std::chrono_literals;

namespace {

constexpr int months = 360;
constexpr auto billion = credits::from_whole(1'000'000'000);
constexpr std::int64_t price = 1'000;  // $0.001 per credit
constexpr std::size_t calls_together = 60;

class decades {
 public:
  decades(dice& dice, const script_of_a_day& day)
      : dice_{dice}, day_{day}, world_{dice, day.durable} {
    enterprise_.org = "enterprise";
    rolling_.org = "rolling";
    silent_.org = "silent";
    unplanned_.org = "unplanned";
    account_options options;
    options.top_up_threshold = credits::from_whole(1'000'000);
    options.top_up_cents = 100'000;
    options.alerts = {{alert_kind::allocation_percent, 80},
                      {alert_kind::credits_used, billion.micro()}};
    options.limits = {
        {limit_scope::agent, "*", credits::from_micro(credits::max_micro), limit_window::total}};
    world_.apply(enterprise_,
                 {configure{{"enterprise", billion, 0, 0, price, 100, 0, 0}, true, options, 0}});
    world_.apply(rolling_, {configure{{"rolling", billion, 100, 1, price, 0, 0, 0}, true, {}, 0}});
    world_.apply(silent_, {configure{{"silent", billion, 0, 0, 0, 0, 0, 0}, true, {}, 0}});
  }

  void run() {
    for (int month = 0; month < months; ++month) live_a_month(month);
    world_.pass(1h);
    world_.apply(silent_, {expire_holds{}});  // its first operation in thirty years
    expect(silent_, silent_.oracle.row().available(), billion, "after decades of silence");
    prove(silent_);
    if (enterprise_.oracle.row().settled < credits::from_whole(months * 500'000'000LL)) {
      throw disagreement{"too little was used to be a story of decades"};
    }
  }

 private:
  void live_a_month(int month) {
    const auto calls = std::max<std::size_t>(day_.steps / months / 3, 2);
    const auto ends = enterprise_.oracle.plan()->end;
    buy_a_pack(enterprise_, month);
    expire_a_promotion(enterprise_, month);
    refill(unplanned_, month);
    for (auto* account : {&enterprise_, &rolling_, &unplanned_}) use(*account, calls);
    world_.pass(ends - world_.time() + milliseconds{dice_.between(0, 3'600'000)});
    for (auto* account : {&enterprise_, &rolling_, &unplanned_}) {
      world_.apply(*account, {expire_holds{}});
      check_last_cycle(*account);
      prove(*account);
    }
  }

  // A billion credits, or about the balance, in that many calls, some of them beyond their hold,
  // some voided.
  void use(account& account, std::size_t calls) {
    const auto much =
        std::max(account.oracle.row().available(), billion).micro() / 100 * dice_.between(60, 115);
    const auto each = much / static_cast<std::int64_t>(calls);
    for (std::size_t made = 0; made < calls;) {
      std::vector<operation> batch;
      for (; made < calls && batch.size() < 2 * calls_together; ++made) {
        const auto id = dice_.next_hold_id(world_.time());
        const auto amount = credits::from_micro(dice_.between(each / 2, each * 3 / 2));
        batch.push_back(reserve{
            id, amount, 1h, admission::critical, "q", {"chat", "llm", "gpt-4", "a1", "", ""}});
        if (dice_.chance(20)) {
          batch.push_back(void_hold{id});
        } else {
          batch.push_back(
              settle{id, dice_.chance(100) ? amount + credits::from_micro(1) : amount, 1});
        }
      }
      world_.apply(account, batch);
    }
  }

  void buy_a_pack(account& account, int month) {
    const auto id = "pack " + std::to_string(month);
    const auto cents = dice_.between(100, 10'000'000);
    const auto before = account.oracle.row().available();
    world_.apply(account, {request_top_up{id, cents}, resolve_top_up{id, top_up_verdict::paid}});
    expect(account, account.oracle.row().available() - before, credits_bought(cents, price),
           "a pack gives");
    for (const auto& open : account.oracle.open_top_ups()) {
      world_.apply(account, {resolve_top_up{open, top_up_verdict::paid}});
    }
  }

  void expire_a_promotion(account& account, int month) {
    grant what{"promotion " + std::to_string(month), billion + billion, "promotion", ""};
    what.expires_at = world_.time() + 1s;
    world_.apply(account, {what});
    world_.pass(2s);
    world_.apply(account, {expire_holds{}});
  }

  void refill(account& account, int month) {
    const auto amount = billion - account.oracle.row().available();
    const auto kind = amount < credits{} ? "correction" : "purchase";
    const auto answers =
        world_.apply(account, {grant{"grant " + std::to_string(month), amount, kind, ""}});
    if (answers[0].result != outcome::granted) throw disagreement{"a purchase was not granted"};
  }

  void check_last_cycle(account& account) {
    const auto& plan = account.oracle.plan();
    if (!plan) return;
    const auto cycles = account.oracle.cycles();
    expect(account, cycles.back().allocation, billion, "the allocation is");
    if (account.oracle.row().available() < billion) throw disagreement{"credits are missing"};
    if (account.oracle.overdrawn() > credits{}) throw disagreement{"overage was not billed whole"};
  }

  void prove(account& account) {
    world_.compare_everything(account);
    world_.forget_entries(account);
  }

  static void expect(const account& account, credits is, credits should, const std::string& what) {
    if (is == should) return;
    throw disagreement{account.org + ": " + what + " " + to_string(is) + ", not " +
                       to_string(should)};
  }

  dice& dice_;
  const script_of_a_day& day_;
  world world_;
  account enterprise_, rolling_, silent_, unplanned_;
};

}  // namespace

void run_decades(dice& dice, const script_of_a_day& day) {
  decades{dice, day}.run();
}

}  // namespace tollgate::tests
