// Every key that the reader knows is in config/tollgate.yaml and in the tables of config/README.md,
// and these contain no others.
#include <regex>
#include <set>

#include <gmock/gmock.h>

#include "tests/unit/config/shipped_text.hpp"
#include "tests/unit/config/support.hpp"

namespace tollgate::config {
namespace {

using test::lines_of;
using test::uncommented;
using keys = std::set<std::string>;

// Never valid: the reader names them only to refuse them.
bool is_not_yet(const std::string& key) {
  return key == "identity.jwt" || key == "identity.trusted_header";
}

TEST(documented, every_key_stands_in_the_shipped_file) {
  const auto known = keys_of(uncommented(), test::table({}));
  EXPECT_GT(known.size(), 130u);
  for (const auto& [key, is_there] : known) {
    EXPECT_TRUE(is_there || is_not_yet(key)) << key << " is not in config/tollgate.yaml";
  }
}

// The first cell of a row in the tables under "## Keys": one key, or several, in backticks.
keys documented() {
  const std::regex quoted{"`([^`]+)`"};
  keys out;
  bool inside = false;
  for (const auto& line : lines_of("README.md")) {
    if (line.starts_with("## ")) inside = line == "## Keys";
    if (!inside || !line.starts_with("| `")) continue;
    const std::string cell = line.substr(2, line.find(" |") - 2);
    for (auto it = std::sregex_iterator{cell.begin(), cell.end(), quoted};
         it != std::sregex_iterator{}; ++it) {
      EXPECT_TRUE(out.insert((*it)[1]).second) << (*it)[1] << " stands twice in config/README.md";
    }
  }
  return out;
}

TEST(documented, the_tables_of_the_readme_have_every_key_and_no_other) {
  keys known;
  for (const auto& [key, is_there] : keys_of(uncommented(), test::table({}))) {
    if (!is_not_yet(key)) known.insert(key);
  }
  const keys shown = documented();
  for (const auto& key : known) {
    EXPECT_TRUE(shown.contains(key)) << key << " is not in config/README.md";
  }
  for (const auto& key : shown) {
    EXPECT_TRUE(known.contains(key)) << key << " in config/README.md is no key";
  }
}

}  // namespace
}  // namespace tollgate::config
