#include "quota/ids.hpp"

#include <set>

#include <gtest/gtest.h>

#include "tests/support/moments.hpp"

namespace tollgate::quota {
namespace {

using namespace std::chrono_literals;

using tests::round_moment;

TEST(hold_id, is_a_ulid) {
  // The example of the ULID specification's reference implementations.
  const auto id = hold_id::make(time_point{milliseconds{1'469'918'176'385}}, 0, 0);
  EXPECT_EQ(id.text(), "01ARYZ6S410000000000000000");
  EXPECT_EQ(hold_id::make(time_point{}, 0xFFFF, ~0ull).text(), "0000000000ZZZZZZZZZZZZZZZZ");
  EXPECT_EQ(hold_id{}.text(), "00000000000000000000000000");
}

TEST(hold_id, knows_when_it_was_made) {
  const auto id = hold_id::make(round_moment, 1, 2);
  EXPECT_EQ(id.made_at(), round_moment);
  EXPECT_EQ(id.hour(), 1'700'000'000 / 3600);
}

TEST(hold_id, sorts_by_time) {
  EXPECT_LT(hold_id::make(round_moment, 0xFFFF, ~0ull), hold_id::make(round_moment + 1ms, 0, 0));
}

TEST(hold_id, reads_only_the_canonical_spelling) {
  const auto id = hold_id::make(round_moment, 0x1234, 0x56789ABCDEF01234ull);
  EXPECT_EQ(hold_id::parse(id.text()), id);
  EXPECT_FALSE(hold_id::parse(""));
  EXPECT_FALSE(hold_id::parse("01ARYZ6S41000000000000000"));
  EXPECT_FALSE(hold_id::parse("01ARYZ6S4100000000000000000"));
  EXPECT_FALSE(hold_id::parse("01aryz6s410000000000000000"));  // lower case
  EXPECT_FALSE(hold_id::parse("O1ARYZ6S410000000000000000"));  // a letter O
  EXPECT_FALSE(hold_id::parse("81ARYZ6S410000000000000000"));  // beyond 128 bits
}

TEST(hold_id, successor_follows_from_the_id_alone) {
  const auto id = hold_id::make(round_moment, 7, 7);
  const auto next = id.successor();
  EXPECT_NE(next, id);
  EXPECT_EQ(next.made_at(), round_moment);
  EXPECT_EQ(hold_id::parse(next.text()), next);
  // As made by all releases so far: work they left unfinished continues under the same id.
  EXPECT_EQ(hold_id::parse("01HF7YAT00000700000000000C")->successor().text(),
            "01HF7YAT00PPPVXKPT3KHAK1TD");
}

TEST(hold_id, a_day_later_is_younger_by_a_day) {
  const auto id = hold_id::make(round_moment, 7, 7);
  EXPECT_EQ(id.a_day_later().made_at(), round_moment + 24h);
  EXPECT_EQ(id.a_day_later().a_day_later().made_at(), round_moment + 48h);
}

TEST(hold_id, one_that_is_made_again_is_made_now) {
  EXPECT_EQ(hold_id::make(round_moment, 7, 7).made_again(round_moment + 25h).made_at(),
            round_moment + 25h);
}

TEST(hold_id, successors_do_not_come_back) {
  std::set<hold_id> seen;
  auto id = hold_id::make(round_moment, 0xFFFF, ~0ull);
  for (int i = 0; i < 1'000; ++i, id = id.successor()) {
    EXPECT_TRUE(seen.insert(id).second);
    EXPECT_EQ(id.made_at(), round_moment);  // the random part never carries into the time
  }
}

TEST(org_id, is_safe_inside_a_redis_key) {
  EXPECT_TRUE(is_valid_org_id("acme"));
  EXPECT_TRUE(is_valid_org_id("Acme-1.2_3"));
  EXPECT_TRUE(is_valid_org_id("..."));
  EXPECT_FALSE(is_valid_org_id("."));
  EXPECT_FALSE(is_valid_org_id(".."));
  EXPECT_TRUE(is_valid_org_id(std::string(64, 'x')));
  for (const auto* text : {"", "a b", "a{b", "a}b", "a:b", "a/b", "a*", "a\n", "\xC3\xA9"}) {
    EXPECT_FALSE(is_valid_org_id(text)) << text;
  }
  EXPECT_FALSE(is_valid_org_id(std::string(65, 'x')));
}

struct fixed_bits final : id_source {
  explicit fixed_bits(std::uint64_t bits) : bits{bits} {}
  std::uint64_t random_bits() override { return bits; }
  std::uint64_t bits;
};

TEST(id_source, hex_is_lowercase_and_never_all_zero) {
  EXPECT_EQ(fixed_bits{0x0123456789ABCDEFull}.next_hex128(), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(fixed_bits{0}.next_hex128(), "00000000000000000000000000000001");
}

TEST(id_source, hold_ids_differ) {
  random_id_source source{1};
  EXPECT_NE(source.next_hold_id(round_moment), source.next_hold_id(round_moment));
}

}  // namespace
}  // namespace tollgate::quota
