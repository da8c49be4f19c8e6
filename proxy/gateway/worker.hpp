// One thread of the data plane, with everything it needs of its own: event loop, store connection,
// upstream pools, caches. Threads share nothing on the path of a request.
#pragma once

#include <memory>
#include <thread>

#include "proxy/account/event_feed.hpp"
#include "proxy/gateway/access_log.hpp"
#include "proxy/gateway/exchange/exchange_record.hpp"
#include "proxy/gateway/key_cache.hpp"
#include "proxy/gateway/runtime.hpp"
#include "proxy/gateway/settlement.hpp"
#include "proxy/gateway/thread_metrics.hpp"
#include "proxy/net/acceptor.hpp"
#include "proxy/net/api/event_delivery.hpp"
#include "proxy/net/deadline.hpp"
#include "quota/redis/connection.hpp"
#include "quota/retention.hpp"

namespace tollgate::proxy {

namespace archive {
class archive_reader;
}

// The only door to the world: time, randomness, and the store.
struct dependencies {
  std::unique_ptr<quota::ledger_store> ledger;
  std::unique_ptr<quota::directory> directory;
  std::unique_ptr<quota::clock> clock;
  std::unique_ptr<quota::id_source> ids;
};

class worker {
 public:
  worker(const quota::redis::address& store, std::shared_ptr<const config::configuration> config,
         std::shared_ptr<asio::ssl::context> tls, const asio::ip::tcp::endpoint& listen,
         metrics::thread_metrics& counts, int index);
  ~worker();  // stops and joins

  // Called, on this worker's thread, for an organization that has top-ups to be delivered. Set it
  // before start().
  void on_top_up(quota::ledger_store::top_up_listener listener);
  // Likewise, for one that has new events.
  void on_event(quota::ledger_store::event_listener listener);

  // Takes the events that Stripe sends to the data listener. Set it before start().
  void take_payment_events(payments::event_taker taker) { payment_events_ = std::move(taker); }

  // What the store has dropped is read there. Set it before start(); it outlives the loop.
  void read_history_from(archive::archive_reader& archive);

  // What is not settled yet is written down there, too. Set it before start(); it outlives the
  // worker.
  void keep_journal(journal::keeper& keeper);

  void start();  // runs the loop on a thread of its own
  void drain();  // any thread: no new connections, end when all is done
  void cut();    // any thread, when draining took too long: ends every session
  void stop();   // any thread: ends now, whatever is left
  void join();
  void reload(std::shared_ptr<const config::configuration> config,
              std::shared_ptr<asio::ssl::context> tls);  // any thread

  const metrics::thread_metrics& counts() const { return counts_; }
  asio::ip::tcp::endpoint local_endpoint() const { return acceptor_.local_endpoint(); }

  // --- for this thread's sessions and exchanges ------------------------------------------------
  io_executor executor() { return context_.get_executor(); }
  deadline_list& deadlines() { return deadlines_; }
  dependencies& world() { return world_; }
  // The ledger as far back as it is known: for reports, never for a charge.
  quota::ledger_store& history() { return history_ ? *history_ : *world_.ledger; }
  key_cache& keys() { return keys_; }
  settlement& charges() { return settlement_; }
  admin::event_feed& events() { return events_; }
  const payments::event_taker& payment_events() const { return payment_events_; }
  std::shared_ptr<runtime> current() const { return runtime_; }
  bool draining() const { return draining_; }
  // Answers when the store is there, waiting for it no longer than the configuration allows.
  task<bool> store_ready();

  void connection_opened();
  void connection_closed() { --connections_; }
  void exchange_started() { ++in_flight_; }
  // `runtime` is the one the exchange began with.
  void exchange_finished(const exchange_record& record, const runtime& runtime);

  // Every open session, so that draining can end those that wait for a next request.
  struct open_session : boost::intrusive::list_base_hook<
                            boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    bool idle = false;  // between two requests
    virtual void cut() = 0;

   protected:
    ~open_session() = default;
  };
  void add(open_session& session) { sessions_.push_back(session); }

 private:
  void cut_sessions(bool only_idle);
  task<> accept();
  task<> tick();
  task<> sweep();
  task<bool> sweep_account(const quota::org_id& org, bool clock_set_back);
  void count(const exchange_record& record, const runtime& runtime);
  void copy_gauges();

  metrics::thread_metrics& counts_;
  asio::io_context context_{1};
  deadline_list deadlines_;
  std::unique_ptr<quota::redis::connection> redis_;
  dependencies world_;
  std::unique_ptr<quota::retention_store> retention_;
  std::unique_ptr<quota::ledger_store> history_;
  key_cache keys_;
  settlement settlement_;
  admin::event_feed events_;
  std::shared_ptr<runtime> runtime_;
  access_log log_;
  acceptor acceptor_;  // every thread has its own on the same address
  boost::intrusive::list<open_session, boost::intrusive::constant_time_size<false>> sessions_;
  std::int64_t connections_ = 0, in_flight_ = 0;
  bool draining_ = false;
  quota::ledger_store::top_up_listener on_top_up_;
  payments::event_taker payment_events_;
  const int index_;
  std::thread thread_;
};

}  // namespace tollgate::proxy
