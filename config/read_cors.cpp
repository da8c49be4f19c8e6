#include <algorithm>

#include "config/sections.hpp"
#include "routes/text.hpp"

namespace tollgate::config {
namespace {

using namespace std::chrono_literals;

// What a browser sends as Origin: a scheme, a host and a port other than the scheme's own. The
// first label of the host may be `*`.
bool is_origin(std::string_view text) {
  if (text == "*") return true;
  const auto mark = text.find("://");
  if (mark == std::string_view::npos || mark == 0) return false;
  const auto is_scheme = [](char c) { return (c >= 'a' && c <= 'z') || c == '-' || c == '+'; };
  auto scheme = text.substr(0, mark), host = text.substr(mark + 3);
  if (!std::all_of(scheme.begin(), scheme.end(), is_scheme)) return false;
  if (host.starts_with("*.")) host.remove_prefix(2);
  const auto is_host = [](char c) {
    return (c >= 'a' && c <= 'z') || routes::is_digit(c) ||
           std::string_view{"-.:[]_"}.find(c) != std::string_view::npos;
  };
  return !host.empty() && std::all_of(host.begin(), host.end(), is_host);
}

std::optional<std::vector<std::string>> read_origins(context& in, const node& from) {
  auto origins = read_texts(in, from);
  if (!origins) return {};
  for (const auto& origin : *origins) {
    if (is_origin(origin)) continue;
    fail_expected(in, from, "origins (https://app.example.com, https://*.example.com, or \"*\")",
                  quoted(origin));
    return {};
  }
  return origins;
}

std::optional<std::chrono::seconds> read_max_age(context& in, const node& from) {
  const auto read = read_duration(in, from, 0s, 24h, 1s);
  if (!read) return {};
  return std::chrono::duration_cast<std::chrono::seconds>(*read);
}

}  // namespace

std::optional<cors_settings> read_cors(context& in, const node& from) {
  cors_settings out;
  map_reader map{in, from};
  map.required("origins", out.origins, read_origins);
  map.optional("max_age", out.max_age, read_max_age);
  map.finish();
  return out;
}

}  // namespace tollgate::config
