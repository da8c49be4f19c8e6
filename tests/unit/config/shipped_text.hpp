// The files of config/ as text.
#pragma once

#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace tollgate::config::test {

inline std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream file{TOLLGATE_SOURCE_DIR "/config/" + name};
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) out.push_back(line);
  return out;
}

// The shipped file with each commented-out key enabled. If such a key is next to one that is
// enabled at the top of the file (`store`, `journal`), it replaces that one.
inline std::string uncommented() {
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

}  // namespace tollgate::config::test
