#include "proxy/cli/store_wait.hpp"

#include "proxy/net/sleep.hpp"

namespace tollgate::proxy {

using namespace std::chrono_literals;

task<bool> wait_for_store(quota::store& store, io_executor executor) {
  for (auto waited = 0ms; !store.ledger().ready(); waited += 10ms) {
    if (waited >= store_patience || needs_operator(store.state().trouble)) co_return false;
    co_await sleep_for(executor, 10ms);
  }
  co_return true;
}

std::string why_unavailable(const quota::store& store) {
  const auto state = store.state();
  if (state.detail.empty()) return "the store does not answer";
  return "the store is unavailable (" + std::string{to_string(state.trouble)} +
         "): " + state.detail;
}

}  // namespace tollgate::proxy
