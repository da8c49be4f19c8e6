// Loads the settings from YAML. Strict: unknown keys, wrong types, unknown names and unreachable
// routes are errors, and all errors are reported at once.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/environment.hpp"
#include "config/settings.hpp"
#include "routes/classify.hpp"

namespace tollgate::config {

struct config_error {
  std::string file;
  int line = 0, column = 0;  // from 1; zero: the file as a whole
  std::string message;       // with a suggestion if there is an obvious one
};
std::string to_string(const config_error& error);  // FILE:LINE:COLUMN: message

// The settings and everything compiled from them. Immutable: all threads share one snapshot, and a
// reload replaces it as a whole.
struct configuration {
  settings values;
  routes::route_table routes;
  std::vector<config_error> warnings{};  // valid, but probably a mistake
};
std::string warning_text(const config_error& warning);  // FILE:LINE:COLUMN: warning: message

std::variant<configuration, std::vector<config_error>> load_file(const std::string& path,
                                                                 const environment& env);
std::variant<configuration, std::vector<config_error>> load_text(const std::string& text,
                                                                 const std::string& file_name,
                                                                 const environment& env);

// An error found after the file was loaded, in the value of a key ("tls.certificate"). It has the
// position of the key's value, or of the innermost map around it that is in the file.
config_error error_at(const std::string& file, std::string_view key, const std::string& message);

// All keys allowed in the maps of this text, as "routes.match.method" or "upstreams.NAME.url", and
// whether one of those maps has the key. The text may contain errors.
std::map<std::string, bool> keys_of(const std::string& text, const environment& env);

}  // namespace tollgate::config
