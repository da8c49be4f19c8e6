// Event streams of accounts, for the clients of one thread. The store is read for changes once per
// tick and organization, however many clients there are. A client that is behind reads separately
// from its position, one bounded piece at a time; all such clients share one rate.
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

  // A stream for one client: from its position, or from now on, starting with the balance.
  task<checked<std::shared_ptr<body_source>>> open(quota::org_id org,
                                                   std::optional<event_cursor> from);
  // Ends all streams and opens no more.
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
