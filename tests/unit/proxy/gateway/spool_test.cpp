#include "proxy/gateway/spool.hpp"

#include <array>
#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace tollgate::proxy {
namespace {

const std::string directory = testing::TempDir();

std::string all_of(const spool& from) {
  std::string out;
  std::array<char, 7> piece;
  for (;;) {
    const auto bytes = from.read(out.size(), piece);
    if (!bytes || bytes->empty()) return out;
    out += *bytes;
  }
}

TEST(Spool, GivesBackWhatWasKept) {
  spool_space space;
  {
    spool kept{{directory, 100, 100, 100}, space, "acme"};
    EXPECT_EQ(all_of(kept), "");
    EXPECT_EQ(kept.append("The first piece, "), spool_outcome::kept);
    EXPECT_EQ(kept.append(""), spool_outcome::kept);
    EXPECT_EQ(kept.append("and the second."), spool_outcome::kept);
    EXPECT_EQ(all_of(kept), "The first piece, and the second.");
    EXPECT_EQ(kept.size(), 32U);
    EXPECT_EQ(space.taken(), 32U);
  }
  EXPECT_EQ(space.taken(), 0U);
}

TEST(Spool, LeavesNoNameBehind) {
  const auto own = std::filesystem::path{directory} / "spool_test";
  std::filesystem::create_directory(own);
  spool_space space;
  spool kept{{own, 100, 100, 100}, space, "acme"};
  EXPECT_EQ(kept.append("secret"), spool_outcome::kept);
  EXPECT_TRUE(std::filesystem::is_empty(own));
  std::filesystem::remove(own);
}

TEST(Spool, HoldsTheBoundOfAnUpload) {
  spool_space space;
  spool kept{{directory, 10, 100, 100}, space, "acme"};
  EXPECT_EQ(kept.append("12345678"), spool_outcome::kept);
  EXPECT_EQ(kept.append("123"), spool_outcome::too_large);
  EXPECT_EQ(kept.append("90"), spool_outcome::kept);
  EXPECT_EQ(all_of(kept), "1234567890");
}

TEST(Spool, HoldsTheBoundOfAll) {
  spool_space space;
  spool second{{directory, 10, 12, 100}, space, "acme"};
  {
    spool first{{directory, 10, 12, 100}, space, "acme"};
    EXPECT_EQ(first.append("12345678"), spool_outcome::kept);
    EXPECT_EQ(second.append("12345"), spool_outcome::full);
    EXPECT_EQ(second.append("1234"), spool_outcome::kept);
  }
  EXPECT_EQ(second.append("56789"), spool_outcome::kept);
}

TEST(Spool, HoldsTheBoundOfAnOrganization) {
  spool_space space;
  const spool_bounds bounds{directory, 10, 20, 12};
  spool other{bounds, space, "other"};
  {
    spool first{bounds, space, "acme"}, second{bounds, space, "acme"};
    EXPECT_EQ(first.append("12345678"), spool_outcome::kept);
    EXPECT_EQ(second.append("12345"), spool_outcome::share_taken);
    EXPECT_EQ(second.append("1234"), spool_outcome::kept);
    EXPECT_EQ(other.append("123456789"), spool_outcome::full);
    EXPECT_EQ(other.append("12345678"), spool_outcome::kept);
  }
  EXPECT_EQ(space.taken(), 8U);
  spool next{bounds, space, "acme"};
  EXPECT_EQ(next.append("1234567890"), spool_outcome::kept);
}

TEST(Spool, SaysWhyThereIsNoFile) {
  spool_space space;
  spool kept{{directory + "/is/not/there", 10, 10, 10}, space, "acme"};
  EXPECT_EQ(kept.append("1"), spool_outcome::failed);
  EXPECT_EQ(kept.why(), "No such file or directory");
  EXPECT_EQ(space.taken(), 0U);
}

// A limit on file sizes simulates a full disk: both fail in the middle of a write.
TEST(Spool, SaysThatTheDiskIsFull) {
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit usual{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &usual), 0);
  rlimit small = usual;
  small.rlim_cur = 4096;
  spool_space space;
  {
    spool kept{{directory, 1 << 20, 1 << 20, 1 << 20}, space, "acme"};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_EQ(kept.append(std::string(4000, 'x')), spool_outcome::kept);
    EXPECT_EQ(kept.append(std::string(4000, 'y')), spool_outcome::failed);
    setrlimit(RLIMIT_FSIZE, &usual);
    EXPECT_EQ(kept.append("z"), spool_outcome::failed);  // it stays failed
    EXPECT_EQ(kept.why(), "File too large");
  }
  EXPECT_EQ(space.taken(), 0U);
  std::signal(SIGXFSZ, before);
}

}  // namespace
}  // namespace tollgate::proxy
