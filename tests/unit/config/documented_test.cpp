// Every key that the reader knows is in config/tollgate.yaml and in the tables of config/README.md,
// and these contain no others.
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/unit/config/support.hpp"

namespace tollgate::config {
namespace {

using keys = std::set<std::string>;

std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream file{TOLLGATE_SOURCE_DIR "/config/" + name};
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) out.push_back(line);
  return out;
}

// The shipped file with each commented-out key enabled. If such a key is next to one that is
// enabled at the top of the file (`store`, `journal`), it replaces that one.
std::string uncommented() {
  const std::regex commented{R"(^( *)# ( *(- )?[a-z0-9_]+:( .*)?)$)"}, top{R"(^([a-z]+):.*)"};
  std::vector<std::string> out;
  std::smatch match;
  for (const auto& line : lines_of("tollgate.yaml")) {
    if (!std::regex_match(line, match, commented)) {
      out.push_back(line);
      continue;
    }
    std::string text = match[1].str() + match[2].str();
    if (std::regex_match(text, match, top)) {
      std::erase_if(out,
                    [&](const auto& other) { return other.starts_with(match[1].str() + ":"); });
    }
    out.push_back(std::move(text));
  }
  std::string joined;
  for (const auto& line : out) joined += line + "\n";
  return joined;
}

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
