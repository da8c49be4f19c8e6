// A setting that is well formed and cannot be used: a file that cannot be read, a port that is
// taken.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace tollgate::config {

struct setting_error : std::runtime_error {
  // `key` as in known_keys, with the names that users chose: "upstreams.openai.ca_file".
  setting_error(std::string which, const std::string& why)
      : std::runtime_error{why}, key{std::move(which)} {}

  std::string key;
};

// Calls `use`. Its std::runtime_error becomes a setting_error of `key`; the message does not repeat
// the key.
template <class Use>
auto using_setting(const std::string& key, Use use) {
  try {
    return use();
  } catch (const setting_error&) {
    throw;
  } catch (const std::runtime_error& error) {
    std::string why = error.what();
    const auto name = key.substr(key.rfind('.') + 1);
    for (const auto& prefix : {key + ": ", key + " ", name + ": ", name + " "}) {
      if (why.starts_with(prefix)) why.erase(0, prefix.size());
    }
    throw setting_error{key, why};
  }
}

}  // namespace tollgate::config
