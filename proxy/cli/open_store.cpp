#include "proxy/cli/open_store.hpp"

#include "quota/redis/store_schema.hpp"
#include "quota/redis/store_url.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::chrono::milliseconds patience{2'000};

std::variant<open_store, store_failure> reach(const std::string& text) {
  auto url = quota::redis::parse_store_url(text);
  if (!url) return store_failure{"store: " + url.error(), 2};
  if (!url->is_embedded()) return open_store{url->where, nullptr};
  auto server = std::make_unique<quota::redis::embedded_server>(url->directory);
  const auto started = server->start();
  if (started) return open_store{*started, std::move(server)};
  if (!started.error().in_use) return store_failure{started.error().message};
  return open_store{quota::redis::embedded_server::running_address(url->directory), nullptr};
}

}  // namespace

std::variant<open_store, store_failure> find_store(const std::string& text) {
  auto found = reach(text);
  if (const auto* store = std::get_if<open_store>(&found)) {
    const auto refused = quota::redis::why_refused(store->where, patience);
    if (!refused.empty()) return store_failure{"store: " + refused};
  }
  return found;
}

}  // namespace tollgate::proxy
