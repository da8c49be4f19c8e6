// All of one thread's access to the store, over one connection. The interfaces belong to the store
// and live as long as it does. They may be used before it is ready; until then they answer
// store_errc::unavailable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "quota/account_history.hpp"
#include "quota/directory.hpp"
#include "quota/due_index.hpp"
#include "quota/guards.hpp"
#include "quota/ledger.hpp"
#include "quota/payment_store.hpp"
#include "quota/plan_store.hpp"
#include "quota/retention.hpp"
#include "quota/store_state.hpp"
#include "quota/store_traffic.hpp"
#include "quota/webhook_store.hpp"

namespace tollgate::quota {

struct store_memory {
  std::int64_t used_bytes = 0;
  std::int64_t most_bytes = 0;  // `maxmemory`; 0: not limited
  std::string eviction;         // `maxmemory-policy`: with another than noeviction, data may vanish
};

class store {
 public:
  virtual ~store() = default;

  virtual void start() = 0;
  virtual void stop() = 0;  // fails all pending operations

  virtual quota::ledger& ledger() = 0;
  virtual account_history& history() = 0;
  virtual quota::directory& directory() = 0;
  virtual guard_store& guards() = 0;
  virtual retention_store& retention() = 0;
  virtual payment_store& payments() = 0;
  virtual webhook_store& webhooks() = 0;
  virtual due_index& due() = 0;
  virtual plan_store& plans() = 0;
  virtual task<result<store_memory>> memory() = 0;

  // A long-running reader that sends nothing that reports the store's time calls this now and then.
  virtual task<result<void>> ask_time() = 0;
  // How often the store's clock was found to have gone back.
  virtual std::uint64_t times_set_back() const = 0;
  virtual store_traffic traffic() const = 0;
  // Whether operations are taken. A store of which only reads are answered, for example because its
  // memory is full, is not ready here, though ledger().ready() says that it may be asked.
  virtual store_state state() const = 0;
  // Why the store, or an account in it, is refused: a later release wrote it. Empty if it is not
  // refused.
  virtual std::string refusal() const = 0;
};

// Opens the store for the thread that runs this io_context.
using store_opener = std::function<std::unique_ptr<store>(asio::io_context&)>;

}  // namespace tollgate::quota
