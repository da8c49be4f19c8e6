// The terms of plans in force, among sidecars whose configurations differ.
#include "quota/redis/plan_store.hpp"

#include <gmock/gmock.h>

#include "quota/redis/rows.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

plan_terms plan(std::string name, int credits) {
  plan_terms terms;
  terms.plan = std::move(name);
  terms.allocation = credits::from_whole(credits);
  return terms;
}

class plan_store_test : public store_test {
 protected:
  presented_plans present(const char* sidecar, std::vector<plan_terms> terms,
                          plan_consent consent = plan_consent::needed) {
    return ask(plans.present(sidecar, std::move(terms), consent));
  }

  redis_plan_store plans{*redis};
  const plan_terms cheap = plan("pro", 100), dear = plan("pro", 200), basic = plan("basic", 1);
};

TEST_F(plan_store_test, the_first_one_decides) {
  const auto first = present("a", {cheap});
  EXPECT_THAT(first.in_force, ElementsAre(cheap));
  EXPECT_THAT(first.unconfirmed, IsEmpty());
  EXPECT_THAT(first.replaced, IsEmpty());
}

TEST_F(plan_store_test, a_second_one_with_other_terms_changes_nothing) {
  present("a", {cheap});
  for (int i = 0; i < 3; ++i) {
    const auto second = present("b", {dear});
    EXPECT_THAT(second.in_force, ElementsAre(cheap));
    EXPECT_THAT(second.unconfirmed, ElementsAre("pro"));
    EXPECT_THAT(second.replaced, IsEmpty());
  }
  EXPECT_THAT(present("a", {cheap}).unconfirmed, IsEmpty());
}

TEST_F(plan_store_test, one_sidecar_alone_may_change_its_configuration) {
  present("a", {cheap});
  const auto changed = present("a", {dear});
  EXPECT_THAT(changed.in_force, ElementsAre(dear));
  EXPECT_THAT(changed.replaced, ElementsAre(cheap));
}

// A rolling update: the new terms are in force when the last one has them.
TEST_F(plan_store_test, terms_change_when_all_have_them) {
  present("a", {cheap});
  present("b", {cheap});
  EXPECT_THAT(present("a", {dear}).unconfirmed, ElementsAre("pro"));
  EXPECT_THAT(present("b", {dear}).replaced, ElementsAre(cheap));
  EXPECT_THAT(present("a", {dear}).unconfirmed, IsEmpty());
}

TEST_F(plan_store_test, one_that_has_ended_has_no_say) {
  present("a", {cheap});
  EXPECT_THAT(present("b", {dear}).unconfirmed, ElementsAre("pro"));
  ask(plans.leave("a"));
  EXPECT_THAT(present("b", {dear}).in_force, ElementsAre(dear));
}

// As a version without ids in the names has written it.
TEST_F(plan_store_test, what_an_earlier_version_wrote_has_its_say) {
  present("host 127.0.0.1:8080 0123456789abcdef", {cheap});
  const auto field = [&](const char* name) {
    return std::string{text_of(*raw.call({"HGET", "tollgate:plans", name}))};
  };
  const auto written = field("sidecar:host 127.0.0.1:8080 0123456789abcdef");
  raw.call({"HSET", "tollgate:plans", "sidecar:host 127.0.0.1:8080", written});
  ask(plans.leave("host 127.0.0.1:8080 0123456789abcdef"));
  EXPECT_THAT(present("host 127.0.0.1:8080 fedcba9876543210", {dear}).unconfirmed,
              ElementsAre("pro"));
  EXPECT_THAT(present("host 127.0.0.1:8080", {dear}).in_force, ElementsAre(dear));
}

// One that was killed may come back.
TEST_F(plan_store_test, one_that_is_silent_has_its_say_for_a_minute) {
  present("a", {cheap});
  const auto field = [&] {
    return std::string{text_of(*raw.call({"HGET", "tollgate:plans", "sidecar:a"}))};
  };
  const auto ms = std::stoll(field());
  const auto lines = field().substr(field().find('\n'));
  const auto age = [&](std::int64_t by) {
    raw.call({"HSET", "tollgate:plans", "sidecar:a",
              std::to_string(static_cast<std::int64_t>(ms) - by) + lines});
  };
  age(55'000);
  EXPECT_THAT(present("b", {dear}).unconfirmed, ElementsAre("pro"));
  age(65'000);
  EXPECT_THAT(present("b", {dear}).in_force, ElementsAre(dear));
  EXPECT_EQ(field(), "");
}

TEST_F(plan_store_test, an_administrator_may_confirm) {
  present("a", {cheap});
  present("b", {dear});
  EXPECT_THAT(present("b", {dear}, plan_consent::given).replaced, ElementsAre(cheap));
  EXPECT_THAT(present("a", {cheap}).unconfirmed, ElementsAre("pro"));
  EXPECT_THAT(present("a", {cheap}).in_force, ElementsAre(dear));
}

TEST_F(plan_store_test, each_plan_is_decided_by_itself) {
  present("a", {cheap});
  const auto second = present("b", {dear, basic});
  EXPECT_THAT(second.in_force, testing::UnorderedElementsAre(cheap, basic));
  EXPECT_THAT(second.unconfirmed, ElementsAre("pro"));
  // Only one has it.
  EXPECT_THAT(present("b", {plan("basic", 2)}).unconfirmed, IsEmpty());
}

}  // namespace
}  // namespace tollgate::quota::redis
