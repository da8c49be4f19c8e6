// Loads configurations from text, with a table as the environment.
#pragma once

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "config/load.hpp"

namespace tollgate::config::test {

using variables = std::map<std::string, std::string>;

inline environment table(variables values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

// The minimal configuration; lines 1 to 4. Tests append to it.
inline const std::string least = R"(upstreams: { main: { url: "http://127.0.0.1:9000" } }
rates: { api: { credits: 0.1, per: request } }
routes:
  - { name: all, match: { path: /all }, upstream: main, action: api, rate: api }
)";

// Every problem as "LINE:COLUMN: message", one per line; "ok" if there is none.
inline std::string verdict(const std::string& text, const variables& env = {}) {
  const auto loaded = load_text(text, "t.yaml", table(env));
  const auto* errors = std::get_if<std::vector<config_error>>(&loaded);
  if (errors == nullptr) return "ok";
  std::string out;
  for (const auto& error : *errors) {
    EXPECT_EQ(error.file, "t.yaml");
    const std::string line = to_string(error);
    out += (out.empty() ? "" : "\n") + line.substr(line.find(':') + 1);
  }
  return out;
}

inline settings load_or_die(const std::string& text, const variables& env = {}) {
  auto loaded = load_text(text, "t.yaml", table(env));
  if (auto* errors = std::get_if<std::vector<config_error>>(&loaded)) {
    for (const auto& error : *errors) ADD_FAILURE() << to_string(error);
    return {};
  }
  return std::get<configuration>(std::move(loaded)).values;
}

}  // namespace tollgate::config::test
