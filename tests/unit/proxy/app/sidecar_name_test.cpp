#include "proxy/app/sidecar_name.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

namespace tollgate::proxy {
namespace {

namespace fs = std::filesystem;

class sidecar_name_test : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tollgate-name-XXXXXX";
    directory = mkdtemp(name);
    settings.journal.directory = directory;
  }
  void TearDown() override { fs::remove_all(directory); }
  std::string file() const { return directory + "/id"; }
  void write(const std::string& text) const { std::ofstream{file()} << text; }

  std::string directory;
  config::settings settings;
};

TEST_F(sidecar_name_test, one_that_starts_again_with_its_journal_has_its_name_again) {
  const auto name = sidecar_name(settings);
  EXPECT_EQ(sidecar_name(settings), name);
  settings.listen.port += 1;
  EXPECT_NE(sidecar_name(settings), name);
}

TEST_F(sidecar_name_test, without_a_journal_the_name_is_new) {
  settings.journal.directory = "";
  EXPECT_NE(sidecar_name(settings), sidecar_name(settings));
}

// Without metering no journal is opened, so nobody has locked its directory.
TEST_F(sidecar_name_test, without_metering_the_name_is_new) {
  settings.metering = false;
  EXPECT_NE(sidecar_name(settings), sidecar_name(settings));
}

TEST_F(sidecar_name_test, a_copy_of_the_directory_is_another_tollgate) {
  const auto id = id_kept_in(file());
  const auto copy = directory + "/copy";
  fs::copy_file(file(), copy);
  const auto other = id_kept_in(copy);
  EXPECT_NE(other, id);
  EXPECT_EQ(id_kept_in(copy), other);
  EXPECT_EQ(id_kept_in(file()), id);
}

TEST_F(sidecar_name_test, what_is_no_id_is_replaced) {
  for (const auto* text : {"", "\n", "abc", "0123456789ABCDEF", "0123456789abcdef",
                           "0123456789abcdef 1", "0123456789abcdeg 1", "  ", "0 0 0"}) {
    write(text);
    const auto id = id_kept_in(file());
    EXPECT_EQ(id.size(), 16u) << text;
    EXPECT_EQ(id_kept_in(file()), id) << text;
  }
}

TEST_F(sidecar_name_test, where_it_cannot_be_kept_there_is_none) {
  EXPECT_EQ(id_kept_in(directory + "/missing/id"), "");
  EXPECT_EQ(id_kept_in(directory), "");
}

}  // namespace
}  // namespace tollgate::proxy
