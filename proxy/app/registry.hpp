// All counters of the process, and the metrics made from them.
#pragma once

#include <list>
#include <vector>

#include <prometheus/metric_family.h>

#include "proxy/archive/archive_metrics.hpp"
#include "proxy/gateway/thread_metrics.hpp"
#include "proxy/payments/payment_metrics.hpp"
#include "proxy/webhooks/webhook_metrics.hpp"

namespace tollgate::proxy::metrics {

// Written by the control thread, read by the scraper.
struct process_metrics {
  std::atomic<bool> reload_succeeded{true};  // the last reload
  std::atomic<std::int64_t> reloads{0}, reload_failures{0};
  std::atomic<std::int64_t> configuration_loaded_at_ms{
      0};  // of the current one; since the Unix epoch
  std::atomic<bool> draining{false};
  std::atomic<bool> metering{true};  // of the current configuration
  std::atomic<std::int64_t> journal_unwritten{0};
  std::atomic<std::int64_t> unconfirmed_plans{0};
  std::atomic<bool> plan_terms_pending{false};
  std::atomic<std::int64_t> store_used_bytes{0}, store_most_bytes{0};
};

class registry {
 public:
  // The object lives as long as the registry.
  thread_metrics& add_thread();

  process_metrics process;
  payment_metrics payments;  // written by the control thread
  archive_metrics archive;   // written by the archiver
  webhook_metrics webhooks;  // written by the control thread

  // Adds up all threads. Safe to call from any thread at any time.
  std::vector<prometheus::MetricFamily> collect() const;

 private:
  mutable std::mutex threads_mutex_;
  std::list<thread_metrics> threads_;
};

}  // namespace tollgate::proxy::metrics
