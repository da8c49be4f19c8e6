#include "routes/estimate.hpp"

#include <gtest/gtest.h>

#include "tests/unit/routes/support.hpp"

namespace tollgate::routes {
namespace {

using quota::meter_kind;
using quota::unit;

const quota::rate speech = rate_of("tts", 5'000'000, unit::minute, meter_kind::response_audio);
const quota::rate upload = rate_of("stt", 3'000'000, unit::minute, meter_kind::request_audio);

std::int64_t spoken(const std::string& text, audio_estimate how = {}) {
  audio_settings settings;
  settings.estimate = std::move(how);
  return estimate(speech, settings, reading::of(text)).amount;
}

reading array_of(std::size_t elements) {
  reading array;
  array.is = reading::state::present;
  array.scalar = false;
  array.elements = elements;
  return array;
}

TEST(estimate, requests_and_queries_are_counted) {
  EXPECT_EQ(estimate(rate_of("gpt-4", 1), {}, {}).amount, 1);
  const auto query = rate_of("query", 1, unit::query);
  EXPECT_EQ(estimate(query, {}, array_of(7)).amount, 7);
  EXPECT_EQ(estimate(query, {}, array_of(0)).amount, 1);
  EXPECT_EQ(estimate(query, {}, reading{}).amount, 1);
  EXPECT_EQ(estimate(query, {}, reading::of("one")).amount, 1);
}

TEST(estimate, speech_takes_as_long_as_its_text) {
  EXPECT_EQ(spoken(std::string(30, 'x')), 2'000'000);
  EXPECT_EQ(spoken(std::string(31, 'x')), 2'066'666);
  EXPECT_EQ(spoken(std::string(40, 'x'), {"", 20, 1, 10'000'000}), 2'000'000);
}

TEST(estimate, characters_are_not_bytes) {
  std::string umlauts;
  for (int i = 0; i < 30; ++i) umlauts += "\u00fc";
  EXPECT_EQ(spoken(umlauts), 2'000'000);
}

TEST(estimate, keeps_within_its_bounds) {
  EXPECT_EQ(spoken(""), 1'000'000);
  EXPECT_EQ(spoken("Hi."), 1'000'000);
  EXPECT_EQ(spoken(std::string(1'000'000, 'x')), 600'000'000);
  EXPECT_EQ(estimate(speech, {}, reading{}).amount, 1'000'000);
}

// It is metered before it is forwarded; until then the hold is the least that any upload costs.
TEST(estimate, an_upload_says_nothing_of_its_length) {
  EXPECT_EQ(quota::price(upload, estimate(upload, {}, {})), quota::credits::from_micro(50'000));
}

}  // namespace
}  // namespace tollgate::routes
