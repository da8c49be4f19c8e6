// What a thread of the data plane depends on: time, randomness, and the store. There is no other
// way to any of them, so a test that replaces these replaces the world.
#pragma once

#include <functional>
#include <memory>

#include "quota/clock.hpp"
#include "quota/ids.hpp"
#include "quota/store.hpp"

namespace tollgate::proxy {

struct dependencies {
  std::unique_ptr<quota::store> store;
  // What accounts say of themselves, where something older than the store's stands behind it.
  std::unique_ptr<quota::account_history> archived;
  std::unique_ptr<quota::clock> clock = std::make_unique<quota::system_clock>();
  std::unique_ptr<quota::id_source> ids = std::make_unique<quota::random_id_source>();

  quota::ledger& ledger() const { return store->ledger(); }
  quota::directory& directory() const { return store->directory(); }
  // As far back as anything is known.
  quota::account_history& history() const { return archived ? *archived : store->history(); }
};

// Makes them for the thread that runs this io_context.
using dependencies_maker = std::function<dependencies(asio::io_context&)>;

}  // namespace tollgate::proxy
