#include "routes/meters/raw_pcm.hpp"

#include "tests/unit/routes/meters/feed.hpp"

namespace tollgate::routes::meters {
namespace {

answer raw(pcm_format format, std::string_view bytes) {
  return measure([&] { return make_raw_pcm_meter(format); }, bytes);
}

TEST(RawPcm, DividesBytesByWhatASampleTakes) {
  const auto bytes = noise(24'000);
  EXPECT_EQ(raw({24000, 1, 2}, bytes).length, duration::of_samples(12'000, 24000));
  EXPECT_EQ(raw({48000, 2, 3}, bytes).length, duration::of_samples(4'000, 48000));
  EXPECT_EQ(raw({8000, 1, 1}, bytes.substr(0, 7)).length, duration::of_samples(7, 8000));
  EXPECT_EQ(raw({8000, 2, 2}, bytes.substr(0, 7)).length, duration::of_samples(1, 8000));
}

TEST(RawPcm, WithoutAFormatThereIsNothingToCount) {
  for (const pcm_format none :
       {pcm_format{0, 1, 2}, pcm_format{8000, 0, 2}, pcm_format{8000, 1, 0}})
    EXPECT_EQ(raw(none, noise(100)).status, state::unmeasurable);
}

}  // namespace
}  // namespace tollgate::routes::meters
