#include "proxy/app/find_store.hpp"

#include "quota/redis/embedded_server.hpp"
#include "quota/redis/open_store.hpp"
#include "quota/redis/store_schema.hpp"
#include "quota/redis/store_url.hpp"

namespace tollgate::proxy {

using quota::redis::embedded_server;

namespace {
constexpr std::chrono::milliseconds refusal_patience{2'000};
}

std::variant<quota::store_opener, store_failure> find_store(const std::string& text,
                                                            quota::store_access access) {
  auto url = quota::redis::parse_store_url(text);
  if (!url) return store_failure{"store: " + url.error(), 2};
  std::shared_ptr<embedded_server> server;  // runs as long as the opener exists
  auto where = url->where;
  if (url->is_embedded()) {
    server = std::make_shared<embedded_server>(url->directory);
    const auto started = server->start();
    if (!started && !started.error().in_use) return store_failure{started.error().message};
    where = started ? *started : embedded_server::running_address(url->directory);
  }
  const auto refused = quota::redis::why_refused(where, refusal_patience, access);
  if (!refused.empty()) return store_failure{"store: " + refused};
  return quota::store_opener{[where, server, access](asio::io_context& context) {
    return quota::redis::open_store(context, where, {.access = access});
  }};
}

}  // namespace tollgate::proxy
