#include "proxy/app/control_plane.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "proxy/admin/metrics_listener.hpp"
#include "proxy/app/deliveries.hpp"
#include "proxy/app/sidecar_name.hpp"
#include "proxy/net/acceptor.hpp"
#include "proxy/net/sleep.hpp"

namespace tollgate::proxy {

control_plane::deliveries control_plane::make_deliveries(const config::settings& settings) {
  return {make_payments(settings), make_webhook_sender(settings, &webhook_names_)};
}

void control_plane::open(std::unique_ptr<quota::store> store,
                         std::unique_ptr<quota::account_history> archived) {
  store_ = std::move(store);
  archived_ = std::move(archived);
  store_->start();
}

void control_plane::start(configuration_ptr configuration, deliveries deliveries, hooks hooks) {
  configuration_ = std::move(configuration);
  start_webhooks(std::move(deliveries.webhooks));
  start_metrics(hooks);
  const auto event_connections = hooks.shares.events;
  start_plans();
  asio::co_spawn(context_, watch_memory(), asio::detached);
  start_admin(std::move(hooks));
  start_payments(std::move(deliveries.payments), event_connections);
}

void control_plane::start_webhooks(std::shared_ptr<webhooks::sender> sender) {
  webhooks_ = std::make_unique<webhooks::webhook_dispatcher>(context_, ledger(), store_->history(),
                                                             store_->webhooks(), metrics_.webhooks);
  webhooks_->use(std::move(sender));
  webhooks_->start(configuration_->values.holds.sweep_every);
  ledger().on_event([this](const quota::org_id& org) { webhooks_->visit(org); });
}

void control_plane::start_metrics(const hooks& hooks) {
  const auto& listen = configuration_->values.metrics.listen;
  if (!listen) return;
  metrics_listener_ =
      admin::make_metrics_listener(context_, *listen, hooks.shares.admin, hooks.pages);
  metrics_listener_->start();
  spdlog::info("metrics on {}", to_text(metrics_listener_->local_endpoint()));
}

void control_plane::start_admin(hooks hooks) {
  admin::server_options options{
      .services = {ledger(), history(), store_->directory(), store_->webhooks(), *webhooks_,
                   [this] { return plans_->in_force(); }, plans_.get()},
      .pages = std::move(hooks.pages),
      .limits = {.connections = hooks.shares.admin}};
  admin_ = std::make_unique<admin::server>(context_, configuration_->values.admin.listen,
                                           std::move(options));
  admin_->start();
}

void control_plane::start_payments(std::shared_ptr<payments::payment_endpoint> endpoint,
                                   std::size_t event_connections) {
  top_ups_ = std::make_unique<payments::top_up_dispatcher>(context_, ledger(), store_->history(),
                                                           store_->payments(), store_->directory(),
                                                           metrics_.payments);
  top_ups_->use(endpoint);
  static const quota::system_clock clock;
  receiver_ =
      std::make_unique<payments::event_receiver>(ledger(), store_->history(), store_->payments(),
                                                 store_->directory(), clock, metrics_.payments);
  receiver_->use(std::move(endpoint));
  start_event_listener(event_connections);
  ledger().on_top_up([this](const quota::org_id& org) { top_ups_->visit(org); });
}

void control_plane::start_event_listener(std::size_t connections) {
  const auto& events = configuration_->values.payments.events;
  if (!events.listen) return;
  event_listener_ = payments::make_event_listener(
      context_, *events.listen, connections,
      [this](payments::event_delivery event) { return receiver_->take(std::move(event)); });
  event_listener_->start();
  spdlog::info("Stripe's events on {}", to_text(event_listener_->local_endpoint()));
}

void control_plane::reload(configuration_ptr configuration, deliveries deliveries) {
  top_ups_->use(deliveries.payments);
  receiver_->use(std::move(deliveries.payments));
  webhooks_->use(std::move(deliveries.webhooks));
  configuration_ = std::move(configuration);
  plans_->use(configuration_);
}

void control_plane::start_plans() {
  plans_ = std::make_unique<admin::plan_agreement>(
      context_.get_executor(), *store_, sidecar_name(configuration_->values), configuration_);
  asio::co_spawn(context_, plans_->run(), asio::detached);
}

// The store refuses writes when its memory is full, and calls get 503 then.
task<> control_plane::watch_memory() {
  constexpr std::chrono::seconds between{10};
  bool was_low = false, evicts = false;
  for (;;) {
    co_await sleep_for(context_.get_executor(), std::chrono::milliseconds{100});
    if (!ledger().ready()) continue;
    const auto found = co_await store_->memory();
    if (!found) continue;
    metrics_.process.store_used_bytes = found->used_bytes;
    metrics_.process.store_most_bytes = found->most_bytes;
    const bool low = found->most_bytes > 0 && found->used_bytes > found->most_bytes / 10 * 8;
    const auto used_mib = found->used_bytes / 1024 / 1024,
               most_mib = found->most_bytes / 1024 / 1024;
    if (low && !was_low) {
      spdlog::warn("store: {} of {} MiB (maxmemory) are used; when it is full, calls get 503",
                   used_mib, most_mib);
    } else if (was_low && !low) {
      spdlog::info("store: {} of {} MiB (maxmemory) are used", used_mib, most_mib);
    }
    was_low = low;
    const bool may_evict =
        found->most_bytes > 0 && !found->eviction.empty() && found->eviction != "noeviction";
    if (may_evict && !evicts) {
      spdlog::error("store: maxmemory-policy is {}: Redis may evict accounts; set noeviction",
                    found->eviction);
    }
    evicts = may_evict;
    co_await sleep_for(context_.get_executor(), between);
  }
}

void control_plane::drain() {
  top_ups_->stop();
  webhooks_->stop();
  if (event_listener_) event_listener_->stop();
  admin_->end_streams();
}

task<> control_plane::end_deliveries() {
  webhooks_->stop();
  plans_->stop();
  co_await plans_->leave();
  co_await webhooks_->end_deliveries();
}

void control_plane::close() {
  admin_.reset();
  plans_.reset();
  event_listener_.reset();
  metrics_listener_.reset();
  archived_.reset();
  store_.reset();
  receiver_.reset();
  top_ups_.reset();  // drops its open deliveries
  webhooks_.reset();
}

void control_plane::visit_top_ups(const quota::org_id& org) {
  asio::post(context_, [this, org] { top_ups_->visit(org); });
}

void control_plane::visit_events(const quota::org_id& org) {
  asio::post(context_, [this, org] { webhooks_->visit(org); });
}

task<admin::api_response> control_plane::take_payment_event(payments::event_delivery event) {
  auto taking = [this, event = std::move(event)]() mutable -> task<admin::api_response> {
    co_return co_await receiver_->take(std::move(event));
  };
  co_return co_await asio::co_spawn(context_, std::move(taking), use_task);
}

}  // namespace tollgate::proxy
