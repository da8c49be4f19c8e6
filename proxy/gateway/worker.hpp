// One thread of the data plane, with its own event loop, store connection, upstream pools and
// caches. Threads share nothing on the path of a request.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "proxy/account/event_feed.hpp"
#include "proxy/gateway/access_log.hpp"
#include "proxy/gateway/dependencies.hpp"
#include "proxy/gateway/exchange/exchange_record.hpp"
#include "proxy/gateway/key_cache.hpp"
#include "proxy/gateway/open_sessions.hpp"
#include "proxy/gateway/runtime.hpp"
#include "proxy/gateway/settlement.hpp"
#include "proxy/gateway/sweeper.hpp"
#include "proxy/gateway/thread_metrics.hpp"
#include "proxy/net/acceptor.hpp"
#include "proxy/net/api/event_delivery.hpp"
#include "proxy/net/deadline.hpp"
#include "proxy/net/event_loop.hpp"
#include "quota/ledger.hpp"

namespace tollgate::proxy {

struct worker_options {
  std::shared_ptr<const config::configuration> configuration;
  std::shared_ptr<asio::ssl::context> tls;            // null: clients speak plain HTTP
  std::function<acceptor(asio::io_context&)> listen;  // opens it
  std::shared_ptr<upstream_watch> watch{};            // shared by all workers; null: one of its own
};

class worker {
 public:
  // `open` makes the worker's dependencies, for its event loop.
  worker(const dependencies_maker& open, worker_options options, metrics::thread_metrics& counts);
  ~worker();  // stops and joins

  // --- before start() --------------------------------------------------------------------------
  // Accepts the events that Stripe sends to the data listener.
  void take_payment_events(payments::event_taker taker) { payment_events_ = std::move(taker); }
  // Unsettled charges are also written to this journal. The keeper outlives the worker.
  void keep_journal(journal::keeper& keeper, int index);
  // This thread processes what becomes due in accounts that are not in use. `on_top_up` is called,
  // on this thread, for an organization whose top-ups nobody delivers.
  // `on_look` for one that had operations a short while ago, here or elsewhere.
  void sweep_accounts(quota::ledger::top_up_listener on_top_up,
                      sweeper::look_listener on_look = {});

  void start();  // runs the loop on a thread of its own
  void drain();  // any thread: no new connections; ends when all is done
  void cut();    // any thread, if draining took too long: ends every session
  void stop();   // any thread: ends now, whatever is unfinished
  void join();
  void reload(std::shared_ptr<const config::configuration> config,
              std::shared_ptr<asio::ssl::context> tls);  // any thread

  const metrics::thread_metrics& counts() const { return counts_; }
  asio::ip::tcp::endpoint local_endpoint() const { return acceptor_.local_endpoint(); }

  // --- for this thread's sessions and exchanges ------------------------------------------------
  io_executor executor() { return context_.get_executor(); }
  deadline_list& deadlines() { return deadlines_; }
  dependencies& world() { return world_; }
  key_cache& keys() { return keys_; }
  settlement& charges() { return settlement_; }
  admin::event_feed& events() { return events_; }
  const payments::event_taker& payment_events() const { return payment_events_; }
  std::shared_ptr<runtime> current() const { return runtime_; }
  open_sessions& sessions() { return sessions_; }
  bool draining() const { return sessions_.draining(); }

  void exchange_started() { sessions_.exchange_started(); }
  // `runtime` is the one with which the exchange began.
  void exchange_finished(const exchange_record& record, const runtime& runtime);

 private:
  task<> accept();
  void take_in(tcp_socket socket);
  task<> tick();
  void copy_gauges();

  metrics::thread_metrics& counts_;
  event_loop context_;
  deadline_list deadlines_;
  dependencies world_;
  key_cache keys_;
  settlement settlement_;
  admin::event_feed events_;
  std::shared_ptr<runtime> runtime_;
  access_log log_;
  acceptor acceptor_;  // every thread has its own, all on the same address
  open_sessions sessions_;
  std::unique_ptr<sweeper> sweeper_;  // on one thread only
  payments::event_taker payment_events_;
  std::thread thread_;
};

}  // namespace tollgate::proxy
