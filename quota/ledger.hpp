// The ledger as the rest of Tollgate uses it: domain verbs, no Redis. One object per thread; all
// calls come from that thread's io_context.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>

#include "quota/ledger/account_ledger.hpp"
#include "quota/store_error.hpp"
#include "quota/task.hpp"

namespace tollgate::quota {

// Work for an account that became due by time, or that a crashed process left behind.
struct pending_work {
  std::optional<time_point> due;  // a hold, a grant or the cycle ends (a lower bound; cheap)
  std::vector<std::string> open_top_ups;  // may have to be delivered
  std::size_t holds = 0;                  // open holds
};

class ledger {
 public:
  virtual ~ledger() = default;

  // Applies a transition. Operations issued in one turn of the event loop are sent in one write,
  // those of one organization in one script call. Each is atomic, and they take effect in the order
  // in which they were issued. `operation` is encoded before the first suspension.
  virtual task<result<answer>> apply(const org_id& org, const operation& operation) = 0;
  // The same with a callback instead of a coroutine. `then` may be called before this returns.
  using then = asio::any_completion_handler<void(result<answer>)>;
  virtual void submit(const org_id& org, const operation& operation, then then) = 0;
  // Also asks for the store's time: now() is correct afterwards, whatever the store's clock has
  // done.
  virtual task<result<pending_work>> pending(const org_id& org) = 0;
  // How much a reservation could hold now: the available credits, and the overage that plan and cap
  // leave. A cheap read for callers that must decide whether to ask for a reservation at all: it
  // does not process what is due by the clock, so only a reservation decides.
  virtual task<result<credits>> spendable(const org_id& org) = 0;

  // Called on this thread when an operation issued here has left a top-up to be delivered.
  using top_up_listener = std::function<void(const org_id&)>;
  virtual void on_top_up(top_up_listener listener) = 0;
  // Called on this thread when an operation issued here has caused events that streams or webhooks
  // may be waiting for.
  using event_listener = std::function<void(const org_id&)>;
  virtual void on_event(event_listener listener) = 0;

  // The store's time, estimated from its last answer. Hold ids are made with it.
  virtual time_point now() const = 0;
  // Connected, and the scripts are loaded: operations may be sent. Whether the store takes them is
  // store::state().
  virtual bool ready() const = 0;
};

// Applies what has become due for an account, if anything. Reads after this are up to date, and so
// is the store's now().
task<result<void>> bring_up_to_date(ledger& ledger, const org_id& org);

}  // namespace tollgate::quota
