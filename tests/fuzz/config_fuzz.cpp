// Any bytes as a configuration file: the answer is a configuration or problems with a place.
#include <cstdint>
#include <string>

#include "config/load.hpp"
#include "tests/fuzz/input.hpp"

namespace {

std::optional<std::string> variable(const std::string& name) {
  if (name.starts_with("E")) return "";
  if (name.starts_with("S")) return "{a: [b";
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tollgate::config;
  using tollgate::fuzz::require;
  const std::string text{reinterpret_cast<const char*>(data), size};
  const auto loaded = load_text(text, "fuzz.yaml", variable);
  if (const auto* errors = std::get_if<std::vector<config_error>>(&loaded)) {
    require(!errors->empty(), "a refused file has a problem");
    for (const auto& error : *errors) {
      require(!error.message.empty(), "a problem has a message");
      require(error.line == 0 || error.column >= 1, "a problem has a place");
    }
  }
  return 0;
}
