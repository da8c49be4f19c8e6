// The dependencies of a data-plane thread: time, randomness and the store. There is no other access
// to them, so a test that replaces these controls all of them.
#pragma once

#include <functional>
#include <memory>

#include "proxy/account/billing_limits.hpp"
#include "proxy/net/background_thread.hpp"
#include "quota/clock.hpp"
#include "quota/ids.hpp"
#include "quota/store.hpp"

namespace tollgate::proxy {

struct dependencies {
  std::unique_ptr<quota::store> store;
  // The history of accounts, if an archive holds data older than the store's.
  std::unique_ptr<quota::account_history> archived;
  // Shared by all threads of the process.
  std::shared_ptr<admin::billing_limits> billing = std::make_shared<admin::billing_limits>();
  std::shared_ptr<background_thread> background = std::make_shared<background_thread>();
  std::unique_ptr<quota::clock> clock = std::make_unique<quota::system_clock>();
  std::unique_ptr<quota::id_source> ids = std::make_unique<quota::random_id_source>();

  quota::ledger& ledger() const { return store->ledger(); }
  quota::directory& directory() const { return store->directory(); }
  // The longest history available.
  quota::account_history& history() const { return archived ? *archived : store->history(); }
};

// Makes them for the thread that runs this io_context.
using dependencies_maker = std::function<dependencies(asio::io_context&)>;

}  // namespace tollgate::proxy
