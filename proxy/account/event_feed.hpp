// Streams of what happens to accounts, for the clients of one thread. However many read of the same
// organization, the store is asked for its changes once a tick; who has fallen behind reads on by
// itself from where it stands, a bounded piece at a time, and all who do so share one pace.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "proxy/account/event_report.hpp"
#include "proxy/net/api/body_source.hpp"
#include "proxy/net/api/message.hpp"
#include "quota/account_history.hpp"
#include "quota/ledger.hpp"

namespace tollgate::proxy::admin {

struct feed_options {
  std::chrono::milliseconds tick{250};
  std::chrono::milliseconds heartbeat{15'000};
  std::size_t streams = 1024;  // in all
  std::size_t of_an_org = 32;
};

class event_feed {
 public:
  // The store must outlive the context's run().
  event_feed(io_executor executor, quota::ledger& ledger, quota::account_history& history,
             feed_options options = {});
  ~event_feed();
  event_feed(const event_feed&) = delete;

  // A stream for one client: from where it stands, or, with the balance first, from now on.
  task<checked<std::shared_ptr<body_source>>> open(quota::org_id org,
                                                   std::optional<event_cursor> from);
  // Ends all streams, and opens no more.
  void close();
  std::size_t streams() const;

 private:
  struct state;
  class reader;
  class source;
  class stream;

  std::shared_ptr<state> state_;
};

}  // namespace tollgate::proxy::admin
