#include "routes/meters/amr.hpp"

#include "tests/unit/routes/meters/feed.hpp"

namespace tollgate::routes::meters {
namespace {

answer amr(std::string_view bytes) {
  return measure(make_amr_meter, bytes);
}
duration frames(std::uint64_t n) {
  return duration::of_samples(n, 50);
}
std::string frame(unsigned type, std::size_t content) {
  return static_cast<char>(type << 3 | 4) + std::string(content, '\xFF');
}

// The contents of each frame type: RFC 4867, 5.3, after 3GPP TS 26.101 and 26.201.
TEST(Amr, CountsFramesOfEveryType) {
  std::string narrow = "#!AMR\n", wide = "#!AMR-WB\n";
  constexpr std::size_t narrow_bytes[]{12, 13, 15, 17, 19, 20, 26, 31, 5};
  constexpr std::size_t wide_bytes[]{17, 23, 32, 36, 40, 46, 50, 58, 60, 5};
  for (unsigned type = 0; type < std::size(narrow_bytes); ++type)
    narrow += frame(type, narrow_bytes[type]);
  for (unsigned type = 0; type < std::size(wide_bytes); ++type)
    wide += frame(type, wide_bytes[type]);
  const auto no_data = frame(15, 0);
  EXPECT_EQ(amr(narrow + no_data), (answer{state::measuring, frames(10), "amr", "amr_nb"}));
  EXPECT_EQ(amr(wide + no_data), (answer{state::measuring, frames(11), "amr", "amr_wb"}));
}

TEST(Amr, ChannelsTakeTurns) {
  EXPECT_EQ(amr("#!AMR_MC1.0\n" + big(2, 4) + repeat(frame(7, 31), 20)).length, frames(10));
  EXPECT_EQ(amr("#!AMR-WB_MC1.0\n" + big(5, 4) + repeat(frame(0, 17), 20)).length, frames(4));
  EXPECT_EQ(amr("#!AMR_MC1.0\n" + big(0, 4) + repeat(frame(7, 31), 20)).length, frames(20));
}

TEST(Amr, ALastFrameThatIsCutOffCountsWhole) {
  EXPECT_EQ(amr("#!AMR\n" + frame(7, 31) + frame(7, 0)).length, frames(2));
}

TEST(Amr, NothingElseIsAmr) {
  for (const std::string_view not_amr :
       {"", "#!AM", "#!AMR", "#!AMR_MC1.0\n", "#!AMR-XX\n", "RIFF"})
    EXPECT_EQ(amr(not_amr).status, state::unmeasurable) << not_amr;
  EXPECT_EQ(amr("#!AMR\n").length, duration{});
}

}  // namespace
}  // namespace tollgate::routes::meters
