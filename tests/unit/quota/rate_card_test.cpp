#include "quota/rate_card.hpp"

#include <gtest/gtest.h>

namespace tollgate::quota {
namespace {

using namespace literals;

constexpr std::int64_t second = 1'000'000;

rate tts() {
  return {"tts", 5_credits, unit::minute, meter_kind::response_audio, second};
}

TEST(rate_card, prices_requests_and_queries_by_count) {
  EXPECT_EQ(price(rate{"gpt-4", 10_credits}, {1}), 10_credits);
  EXPECT_EQ(price(rate{"api", 100'000_micro}, {3}), 300'000_micro);
  EXPECT_EQ(price(rate{"query", 1_credits, unit::query}, {0}), 0_credits);
}

TEST(rate_card, bills_audio_by_started_increment) {
  EXPECT_EQ(price(tts(), {0}), 0_credits);
  EXPECT_EQ(price(tts(), {60 * second}), 5_credits);
  EXPECT_EQ(price(tts(), {1}), price(tts(), {second}));
  EXPECT_EQ(price(tts(), {second + 1}), price(tts(), {2 * second}));
}

TEST(rate_card, rounds_half_up_at_the_last_step) {
  EXPECT_EQ(price(tts(), {second}), 83'333_micro);       // 83333.33
  EXPECT_EQ(price(tts(), {2 * second}), 166'667_micro);  // 166666.67
  EXPECT_EQ(price(rate{"half", 30_micro, unit::minute, meter_kind::none, second}, {second}),
            1_micro);
}

TEST(rate_card, audio_is_billed_in_whole_increments) {
  EXPECT_EQ(billed_us(tts(), {0}), 0);
  EXPECT_EQ(billed_us(tts(), {1}), second);
  EXPECT_EQ(billed_us(tts(), {second}), second);
  EXPECT_EQ(billed_us(tts(), {second + 1}), 2 * second);
  EXPECT_EQ(billed_us(tts(), {INT64_MAX}), INT64_MAX);
  EXPECT_EQ(billed_us(rate{"gpt-4", 10_credits}, {3}), 0) << "a count is paid for as it is";
  // Billed audio has the price of the audio used.
  for (const std::int64_t used : {1L, 999'999L, 1'000'001L, 59'999'999L, 61'500'000L}) {
    EXPECT_EQ(price(tts(), {billed_us(tts(), {used})}), price(tts(), {used})) << used;
  }
}

TEST(rate_card, an_absurd_use_is_beyond_every_account) {
  EXPECT_FALSE(price(rate{"gpt-4", 10_credits}, {INT64_MAX}).in_range());
  EXPECT_FALSE(price(tts(), {INT64_MAX}).in_range());
}

}  // namespace
}  // namespace tollgate::quota
