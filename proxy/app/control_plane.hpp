// Everything that runs on the control thread beside the calls: the admin API and its pages,
// deliveries of top-ups and webhooks, payment events. It has its own store connection.
#pragma once

#include <memory>

#include "proxy/admin/plan_agreement.hpp"
#include "proxy/admin/server.hpp"
#include "proxy/app/descriptors.hpp"
#include "proxy/app/registry.hpp"
#include "proxy/payments/event_listener.hpp"
#include "proxy/payments/event_receiver.hpp"
#include "proxy/payments/top_up_dispatcher.hpp"
#include "proxy/webhooks/webhook_dispatcher.hpp"
#include "quota/store.hpp"

namespace tollgate::proxy {

class control_plane {
 public:
  using configuration_ptr = std::shared_ptr<const config::configuration>;

  // The delivery settings of a configuration, constructed before any of them takes effect: that may
  // throw.
  struct deliveries {
    std::shared_ptr<payments::payment_endpoint> payments;
    std::shared_ptr<webhooks::sender> webhooks;
  };
  struct hooks {
    admin::page_sources pages;
    descriptor_shares shares;
  };

  control_plane(asio::io_context& context, metrics::registry& metrics)
      : context_{context}, metrics_{metrics} {}

  deliveries make_deliveries(const config::settings& settings);

  // Opens the store. `archived`, if any, has the history that the store has dropped.
  void open(std::unique_ptr<quota::store> store, std::unique_ptr<quota::account_history> archived);
  // Binds and starts. Throws std::runtime_error.
  void start(configuration_ptr configuration, deliveries deliveries, hooks hooks);
  void reload(configuration_ptr configuration, deliveries deliveries);
  // Accepts nothing more. Open deliveries get the rest of their time in end_deliveries().
  void drain();
  task<> end_deliveries();
  // Frees everything that uses the store, and the store.
  void close();

  quota::ledger& ledger() { return store_->ledger(); }
  quota::store& store() { return *store_; }
  // Whether it has read from the store which terms are in force.
  // Why the terms of plans that are in force are not known yet; none: they are.
  quota::store_trouble terms_trouble() const {
    return plans_->knows() ? quota::store_trouble::none : plans_->trouble();
  }
  const std::vector<std::string>& unconfirmed_plans() const { return plans_->unconfirmed(); }
  bool plan_terms_pending() const { return plans_->pending(); }
  asio::ip::tcp::endpoint admin_endpoint() const { return admin_->local_endpoint(); }
  // Any thread: this organization may have top-ups or events to deliver.
  void visit_top_ups(const quota::org_id& org);
  void visit_events(const quota::org_id& org);
  // Any thread; it resumes with the answer.
  task<admin::api_response> take_payment_event(payments::event_delivery event);

 private:
  quota::account_history& history() { return archived_ ? *archived_ : store_->history(); }
  void start_webhooks(std::shared_ptr<webhooks::sender> sender);
  void start_admin(hooks hooks);
  void start_metrics(const hooks& hooks);
  void start_payments(std::shared_ptr<payments::payment_endpoint> endpoint,
                      std::size_t event_connections);
  void start_event_listener(std::size_t connections);
  void start_plans();
  task<> watch_memory();

  asio::io_context& context_;
  metrics::registry& metrics_;
  outbound::name_resolver webhook_names_{32};  // for webhooks only: payments do not wait for them
  configuration_ptr configuration_;
  std::unique_ptr<quota::store> store_;
  std::unique_ptr<quota::account_history> archived_;
  std::unique_ptr<payments::top_up_dispatcher> top_ups_;
  std::unique_ptr<payments::event_receiver> receiver_;
  std::unique_ptr<admin::small_listener> event_listener_;    // if it has its own address
  std::unique_ptr<admin::small_listener> metrics_listener_;  // likewise
  std::unique_ptr<webhooks::webhook_dispatcher> webhooks_;
  std::unique_ptr<admin::server> admin_;
  std::unique_ptr<admin::plan_agreement> plans_;
};

}  // namespace tollgate::proxy
