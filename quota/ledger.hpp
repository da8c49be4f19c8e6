// The ledger as the rest of Tollgate sees it: domain verbs, no Redis. One object a thread; all
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

// What the clock, or somebody's crash, has left to be done for an account.
struct pending_work {
  std::optional<time_point> due;  // a hold, a grant or the cycle ends (a lower bound; cheap)
  std::vector<std::string> open_top_ups;  // may have to be delivered
  std::size_t holds = 0;                  // open
};

// Every transition of the ledger, in the order in which they were issued.
class ledger {
 public:
  virtual ~ledger() = default;

  // Every transition of the ledger. Operations issued in one turn of the event loop leave in one
  // write, those of one organization in one script call; each is atomic, and they take effect in
  // the order in which they were issued. `operation` is encoded before the first suspension.
  virtual task<result<answer>> apply(const org_id& org, const operation& operation) = 0;
  // The same for who does not wait for it in a coroutine. `then` may be called before this returns.
  using then = asio::any_completion_handler<void(result<answer>)>;
  virtual void submit(const org_id& org, const operation& operation, then then) = 0;
  // Asks for the store's time, too: now() is right afterwards, whatever its clock has done.
  virtual task<result<pending_work>> pending(const org_id& org) = 0;

  // Called, on this thread, when an operation issued here has left a top-up to be delivered.
  using top_up_listener = std::function<void(const org_id&)>;
  virtual void on_top_up(top_up_listener listener) = 0;
  // Likewise, when it has caused events that somebody may want to be told of.
  using event_listener = std::function<void(const org_id&)>;
  virtual void on_event(event_listener listener) = 0;

  // The store's own time, estimated from its last answer. Hold ids are made with it.
  virtual time_point now() const = 0;
  // Connected and the scripts are loaded.
  virtual bool ready() const = 0;
};

// Does what the clock has left to be done for an account, if anything: what is read afterwards is
// as of now, and so is the store's now().
task<result<void>> bring_up_to_date(ledger& ledger, const org_id& org);

}  // namespace tollgate::quota
