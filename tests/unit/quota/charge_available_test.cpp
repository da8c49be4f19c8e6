// The balance that a charge reports, against the ledger in memory.
#include <random>

#include "tests/unit/quota/conversation.hpp"
#include "tests/unit/quota/customer.hpp"

namespace tollgate::quota {
namespace {

constexpr auto given = 10'000_credits;

// The charge and its ledger: no other call uses the account.
struct call_on_account {
  explicit call_on_account(charge::terms terms) : money{std::move(terms)} {
    one.now = round_moment;
    one.give("start", given);
    resume(charge::begin{});
  }
  void resume(const charge::event& event) {
    auto action = money.resume(event);
    while (const auto* asked = std::get_if<charge::apply>(&action)) {
      action = money.resume(charge::answered{one.apply(asked->what), one.now});
    }
  }
  // This minus the cost of the call is the balance afterwards.
  credits left() const { return money.available() + money.held(); }

  customer one;
  charge money;
};

TEST(charge, says_what_is_left_when_its_rest_was_given_back) {
  call_on_account call{call_of(tts(), seconds(20))};
  call.resume(charge::metered{seconds(5), true});
  EXPECT_EQ(call.money.held(), 5_credits);
  EXPECT_EQ(call.money.available(), given - 5_credits);
}

// Whatever happens to its holds: they are extended, given back, expire and are replaced, and are
// settled on expiry.
TEST(charge, says_what_is_left_at_every_step) {
  std::mt19937_64 dice{11};
  for (int story = 0; story < 2'000; ++story) {
    call_on_account call{call_of(tts(), seconds(1 + static_cast<std::int64_t>(dice() % 90)))};
    ASSERT_EQ(call.left(), given);
    usage so_far{0};
    bool final = false;
    for (int step = 0; step < 12; ++step) {
      const auto way = dice() % 8;
      if (way < 4 && !final) {
        so_far.amount += static_cast<std::int64_t>(dice() % 40'000'000);
        final = dice() % 8 == 0;
        call.resume(charge::metered{so_far, final});
      } else if (way == 4) {
        call.resume(charge::begun{so_far});
      } else if (way < 7) {
        call.resume(charge::renewal_due{});
      } else {
        call.one.at(call.one.now + 61s);  // the hold times out
      }
      ASSERT_EQ(call.left(), given) << "story " << story << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace tollgate::quota
