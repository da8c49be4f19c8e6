// Webhooks: how account events are delivered, and which URLs are allowed.
#include "config/sections.hpp"

namespace tollgate::config {
namespace {

using namespace std::chrono_literals;

std::optional<std::vector<milliseconds>> read_retries(context& in, const node& from) {
  constexpr std::size_t most = 32;
  if (from.what != node::type::list || from.items.empty() || from.items.size() > most) {
    fail_expected(in, from, "a list of 1 to 32 durations", describe(from));
    return {};
  }
  std::vector<milliseconds> out;
  const auto pause = duration_between(0ms, 30 * 24h);
  for (const node_ptr& item : from.items) {
    if (const auto read = pause(in, *item)) out.push_back(*read);
  }
  if (out.size() != from.items.size()) return {};
  if (out.front() != 0ms) {
    in.fail(*from.items.front(), "the first pause must be 0s");
    return {};
  }
  return out;
}

}  // namespace

std::optional<webhook_settings> read_webhooks(context& in, const node& from) {
  webhook_settings out;
  map_reader map{in, from};
  map.optional("timeout", out.timeout, duration_between(100ms, 1min));
  map.optional("retries", out.retries, read_retries);
  map.optional("allow_http", out.allow_http, read_flag);
  map.optional("allow_private", out.allow_private, read_flag);
  map.optional("ca_file", out.ca_file, read_text);
  map.finish();
  return out;
}

}  // namespace tollgate::config
