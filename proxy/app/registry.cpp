#include "proxy/app/registry.hpp"

#include <algorithm>

#include "proxy/metrics/family_builder.hpp"
#include "proxy/metrics/process_info.hpp"
#include "proxy/net/memory_budget.hpp"
#include "proxy/payments/payment_answer.hpp"

namespace tollgate::proxy::metrics {

namespace {

using prometheus::MetricType;
using thread_list = std::list<thread_metrics>;

constexpr double micro = 1e6, milli = 1e3;

std::string status_class_name(std::size_t status_class) {
  return status_class == 0 ? "none" : std::to_string(status_class) + "xx";
}

// Omits cells that never counted: otherwise every route would have dozens of zeros.
void collect_requests(family_builder& out, const thread_list& threads) {
  out.family("tollgate_requests", MetricType::Counter,
             "Requests by route (empty: none matched), status class and how they ended.");
  for (const auto& thread : threads) {
    thread.for_each_route([&](const std::string& name, const route_metrics& route) {
      for (std::size_t status_class = 0; status_class < status_class_count; ++status_class) {
        for (std::size_t end = 0; end < quota::stream_end_count; ++end) {
          const auto count = route.requests[status_class].read(end);
          if (count == 0) continue;
          out.add({{"route", name},
                   {"status", status_class_name(status_class)},
                   {"end", std::string{quota::to_string(static_cast<quota::stream_end>(end))}}},
                  count);
        }
      }
    });
  }
}

// What Tollgate answers because its upstream failed is no refusal; tollgate_requests_total has it.
void collect_refusals(family_builder& out, const thread_list& threads) {
  out.family("tollgate_refusals", MetricType::Counter,
             "Requests refused by Tollgate, by its code.");
  for (const auto& thread : threads) {
    thread.for_each_route([&](const std::string& route_name, const route_metrics& route) {
      for (std::size_t code = 0; code < problem_code_count; ++code) {
        const auto count = route.refusals.read(code);
        if (count == 0) continue;
        out.add({{"route", route_name},
                 {"code", std::string{routes::to_string(static_cast<routes::problem_code>(code))}}},
                count);
      }
    });
  }
}

void collect_route_counter(family_builder& out, const thread_list& threads, const char* name,
                           const char* help, counter route_metrics::*cell) {
  out.family(name, MetricType::Counter, help);
  for (const auto& thread : threads) {
    thread.for_each_route([&](const std::string& route_name, const route_metrics& route) {
      if (!route_name.empty()) out.add({{"route", route_name}}, (route.*cell).read());
    });
  }
}

void collect_credits(family_builder& out, const thread_list& threads, const char* name,
                     const char* help, counter credit_metrics::*cell) {
  out.family(name, MetricType::Counter, help, micro);
  for (const auto& thread : threads) {
    thread.for_each_action([&](const std::string& action, const credit_metrics& credits) {
      if (!action.empty()) out.add({{"action", action}}, (credits.*cell).read());
    });
  }
}

template <class Cell>
void collect_upstream(family_builder& out, const thread_list& threads, const char* name,
                      MetricType type, const char* help, Cell upstream_metrics::*cell) {
  out.family(name, type, help);
  for (const auto& thread : threads) {
    thread.for_each_upstream([&](const std::string& upstream, const upstream_metrics& cells) {
      if constexpr (requires { (cells.*cell).read(); }) {
        out.add({{"upstream", upstream}}, (cells.*cell).read());
      } else {
        out.add({{"upstream", upstream}}, cells.*cell);
      }
    });
  }
}

template <class Cell>
void collect_thread(family_builder& out, const thread_list& threads, const char* name,
                    MetricType type, const char* help, Cell thread_metrics::*cell,
                    double scale = 1.0) {
  out.family(name, type, help, scale);
  for (const auto& thread : threads) out.add({}, (thread.*cell).read());
}

void collect_store(family_builder& out, const thread_list& threads) {
  const auto one = [&](const char* name, const char* help, counter store_metrics::*cell) {
    out.family(name, MetricType::Counter, help);
    for (const auto& thread : threads) out.add({}, (thread.store.*cell).read());
  };
  out.family("tollgate_store_connections_ready", MetricType::Gauge,
             "Threads whose store takes operations, as of the last check (every second).");
  for (const auto& thread : threads) out.add({}, thread.store.ready.read());
  one("tollgate_store_connects", "Connections made to the store; more than threads: reconnects.",
      &store_metrics::connects);
  one("tollgate_store_commands", "Commands sent to the store.", &store_metrics::commands);
  one("tollgate_store_writes", "Writes to the store's sockets; commands share them.",
      &store_metrics::writes);
  one("tollgate_store_sent_bytes", "Bytes sent to the store.", &store_metrics::bytes_out);
  one("tollgate_store_received_bytes", "Bytes received from the store.", &store_metrics::bytes_in);
  out.family("tollgate_store_connections_in_trouble", MetricType::Gauge,
             "Threads whose store takes no operations, by cause.");
  for (std::size_t i = 1; i < quota::store_trouble_count; ++i) {
    std::int64_t in_it = 0;
    for (const auto& thread : threads) {
      in_it += thread.store.trouble.read() == static_cast<std::int64_t>(i) ? 1 : 0;
    }
    out.add({{"cause", std::string{to_string(static_cast<quota::store_trouble>(i))}}}, in_it);
  }
  out.family("tollgate_store_errors", MetricType::Counter,
             "Failed connections to the store and its error replies, by cause.");
  for (const auto& thread : threads) {
    for (std::size_t i = 1; i < quota::store_trouble_count; ++i) {
      const auto count = thread.store.troubles[i].read();
      if (count == 0) continue;
      out.add({{"cause", std::string{to_string(static_cast<quota::store_trouble>(i))}}}, count);
    }
  }
  one("tollgate_voids_given_up",
      "Voids of reservations with an unknown outcome that were left to the timeout of the hold.",
      &store_metrics::voids_given_up);
  one("tollgate_store_failures", "Operations on the ledger whose outcome stayed unknown.",
      &store_metrics::failures);
}

void collect_data_plane(family_builder& out, const thread_list& threads) {
  collect_requests(out, threads);
  collect_refusals(out, threads);
  collect_route_counter(out, threads, "tollgate_shadow_refusals",
                        "Requests let through in shadow mode that would have been refused.",
                        &route_metrics::shadow_refusals);
  collect_route_counter(
      out, threads, "tollgate_beyond_balance",
      "Requests let through beyond balance, cap or limit: critical, or in shadow mode.",
      &route_metrics::beyond_balance);
  collect_route_counter(out, threads, "tollgate_unmeasurable_audio",
                        "Calls whose seconds could not be counted, and were estimated by size.",
                        &route_metrics::unmeasurable_audio);
  collect_route_counter(out, threads, "tollgate_hold_renewals",
                        "Holds renewed because their stream still ran.", &route_metrics::renewals);
  out.family("tollgate_worker_threads", MetricType::Gauge, "Threads that serve calls.");
  out.add({}, static_cast<std::int64_t>(threads.size()));
  collect_thread(out, threads, "tollgate_connections", MetricType::Gauge,
                 "Open client connections.", &thread_metrics::connections);
  collect_thread(out, threads, "tollgate_connections_accepted", MetricType::Counter,
                 "Client connections accepted.", &thread_metrics::connections_total);
  collect_thread(out, threads, "tollgate_requests_in_flight", MetricType::Gauge,
                 "Requests being served.", &thread_metrics::in_flight);
  collect_thread(out, threads, "tollgate_event_streams", MetricType::Gauge,
                 "Streams of events that customers have open.", &thread_metrics::event_streams);
  collect_thread(out, threads, "tollgate_access_log_lost_lines", MetricType::Counter,
                 "Lines of the access log that could not be written.",
                 &thread_metrics::lost_log_lines);
  out.family("tollgate_request_overhead_seconds", MetricType::Histogram,
             "Time of a request that was spent in Tollgate itself.");
  for (const auto& thread : threads) out.add({}, thread.times.overhead);
  out.family("tollgate_request_seconds", MetricType::Histogram,
             "Time from the end of a request's head to the last byte of its response.");
  for (const auto& thread : threads) out.add({}, thread.times.total);
  out.family(
      "tollgate_request_wait_seconds", MetricType::Histogram,
      "Time that a request waited, by part; with the overhead it adds up to the whole time.");
  for (const auto& thread : threads) {
    for (std::size_t i = 1; i < call_part_count; ++i) {  // the first one is the overhead
      out.add({{"part", std::string{to_string(static_cast<call_part>(i))}}}, thread.times.parts[i]);
    }
  }
}

void collect_ledger(family_builder& out, const thread_list& threads) {
  collect_credits(out, threads, "tollgate_credits_held", "Credits put aside by reservations.",
                  &credit_metrics::held_micro);
  collect_credits(out, threads, "tollgate_credits_extended", "Credits added to holds later.",
                  &credit_metrics::extended_micro);
  collect_credits(out, threads, "tollgate_credits_settled", "Credits charged.",
                  &credit_metrics::settled_micro);
  collect_credits(out, threads, "tollgate_credits_released", "Credits held but not used.",
                  &credit_metrics::released_micro);
  collect_credits(out, threads, "tollgate_credits_voided", "Credits of holds that were voided.",
                  &credit_metrics::voided_micro);
  collect_thread(out, threads, "tollgate_credits_expired_holds", MetricType::Counter,
                 "Credits given back by sweeping holds whose time had passed.",
                 &thread_metrics::expired_holds_micro, micro);
  collect_thread(out, threads, "tollgate_open_holds", MetricType::Gauge,
                 "Holds of calls that this process serves now.", &thread_metrics::open_holds);
  collect_thread(out, threads, "tollgate_pending_settlements", MetricType::Gauge,
                 "Resolutions of holds that the ledger has not confirmed yet.",
                 &thread_metrics::pending_settlements);
  collect_store(out, threads);
}

void collect_failures(family_builder& out, const thread_list& threads) {
  out.family("tollgate_upstream_failures", MetricType::Counter,
             "Calls without an answer of the upstream, or without all of it, by cause.");
  for (const auto& thread : threads) {
    thread.for_each_upstream([&](const std::string& upstream, const upstream_metrics& cells) {
      for (std::size_t i = 1; i < upstream_cause_count; ++i) {  // the first one is "none"
        const auto count = cells.failures.read(i);
        if (count == 0) continue;
        const auto cause = static_cast<upstream_cause>(i);
        out.add({{"upstream", upstream}, {"cause", std::string{to_string(cause)}}}, count);
      }
    });
  }
}

void collect_upstreams(family_builder& out, const thread_list& threads) {
  out.family("tollgate_upstream_responses", MetricType::Counter,
             "Heads of responses from the upstream, by status class.");
  for (const auto& thread : threads) {
    thread.for_each_upstream([&](const std::string& upstream, const upstream_metrics& cells) {
      for (std::size_t status_class = 0; status_class < status_class_count; ++status_class) {
        const auto count = cells.answers[status_class].read();
        if (count == 0) continue;
        out.add({{"upstream", upstream}, {"status", status_class_name(status_class)}}, count);
      }
    });
  }
  collect_upstream(out, threads, "tollgate_upstream_response_head_seconds", MetricType::Histogram,
                   "Time from the request's end to the head of the upstream's response.",
                   &upstream_metrics::response_head);
  collect_upstream(out, threads, "tollgate_upstream_connects", MetricType::Counter,
                   "Connections made to the upstream.", &upstream_metrics::connects);
  collect_upstream(out, threads, "tollgate_upstream_connect_failures", MetricType::Counter,
                   "Connections to the upstream that failed.", &upstream_metrics::connect_failures);
  collect_upstream(out, threads, "tollgate_upstream_reuses", MetricType::Counter,
                   "Requests sent on a connection from the pool.", &upstream_metrics::reuses);
  collect_upstream(out, threads, "tollgate_upstream_retries", MetricType::Counter,
                   "Requests repeated because the pooled connection was dead.",
                   &upstream_metrics::retries);
  out.family("tollgate_upstream_connections_active", MetricType::Gauge,
             "Upstream connections in use.");
  for (const auto& thread : threads) {
    thread.for_each_upstream([&](const std::string& upstream, const upstream_metrics& cells) {
      const auto active = cells.open.read() - cells.idle.read();
      out.add({{"upstream", upstream}}, std::max<std::int64_t>(active, 0));
    });
  }
  collect_upstream(out, threads, "tollgate_upstream_connections_idle", MetricType::Gauge,
                   "Upstream connections waiting in the pool.", &upstream_metrics::idle);
  collect_failures(out, threads);
}

void collect_payments(family_builder& out, const payment_metrics& payments) {
  out.family("tollgate_top_ups", MetricType::Counter,
             "Deliveries of top-ups to the payment endpoint, by outcome.");
  for (std::size_t i = 0; i < top_up_verdict_count; ++i) {
    const auto verdict = static_cast<quota::top_up_verdict>(i);
    out.add({{"verdict", std::string{payments::name_of(verdict)}}}, payments.top_ups.read(i));
  }
  out.family("tollgate_payment_mismatches", MetricType::Counter,
             "Payments that differ from what the ledger asked for, each time one is seen.");
  for (std::size_t i = 1; i < payment_mismatch_count; ++i) {
    const auto what = static_cast<payments::payment_mismatch>(i);
    out.add({{"what", std::string{payments::name_of(what)}}}, payments.mismatches.read(i));
  }
  out.family("tollgate_payment_events", MetricType::Counter,
             "Events that Stripe has sent, by result.");
  const char* const ends[] = {"applied", "ignored", "repeated", "refused", "unavailable"};
  static_assert(std::size(ends) == payment_event_count);
  for (std::size_t i = 0; i < payment_event_count; ++i) {
    out.add({{"result", ends[i]}}, payments.events.read(i));
  }
}

void collect_archive(family_builder& out, const archive_metrics& archive) {
  const auto one = [&](const char* name, MetricType type, const char* help, std::int64_t value,
                       double scale = 1.0) {
    out.family(name, type, help, scale);
    out.add({}, value);
  };
  one("tollgate_archive_entries", MetricType::Counter, "Ledger entries added to the archive.",
      archive.entries.read());
  one("tollgate_archive_statements", MetricType::Counter, "Statements added to the archive.",
      archive.statements.read());
  one("tollgate_archive_failures", MetricType::Counter, "Times the archive was unavailable.",
      archive.failures.read());
  one("tollgate_archive_leader", MetricType::Gauge, "1 when this process writes the archive.",
      archive.leads.read());
  const auto lag = archive.lag.at(archive_lag::clock::now());
  one("tollgate_archive_lag_seconds", MetricType::Gauge,
      "Since everything that was there had been added.",
      std::chrono::duration_cast<std::chrono::milliseconds>(lag).count(), milli);
}

void collect_webhooks(family_builder& out, const webhook_metrics& webhooks) {
  out.family("tollgate_webhook_deliveries", MetricType::Counter,
             "Attempts to deliver an event to a webhook endpoint, by outcome.");
  for (std::size_t i = 0; i < webhook_verdict_count; ++i) {
    const auto verdict = static_cast<webhooks::verdict>(i);
    out.add({{"verdict", std::string{webhooks::name_of(verdict)}}}, webhooks.deliveries.read(i));
  }
  out.family("tollgate_webhook_dead_letters", MetricType::Counter,
             "Events that were given up after the last attempt.");
  out.add({}, webhooks.dead_letters.read());
  out.family("tollgate_webhook_forgotten", MetricType::Counter,
             "Endpoints that were away for longer than events are remembered.");
  out.add({}, webhooks.forgotten.read());
}

void collect_process(family_builder& out, const process_metrics& process) {
  const auto one = [&](const char* name, MetricType type, const char* help, std::int64_t value,
                       double scale = 1.0) {
    out.family(name, type, help, scale);
    out.add({}, value);
  };
  out.family("tollgate_build_info", MetricType::Gauge, "The version that is running.");
  out.add({{"version", TOLLGATE_VERSION}}, 1);
  one("tollgate_journal_unwritten", MetricType::Counter,
      "Records that the journal had no space for: calls that continued without one.",
      process.journal_unwritten.load());
  const auto& memory = memory_budget::shared();
  one("tollgate_buffered_bytes", MetricType::Gauge,
      "Bodies and buffers in memory, of limits.buffered.", memory.bodies() + memory.buffers());
  one("tollgate_buffered_limit_bytes", MetricType::Gauge, "limits.buffered.", memory.total());
  one("tollgate_plans_unconfirmed", MetricType::Gauge,
      "Plans whose terms in this configuration are not those in force at the store.",
      process.unconfirmed_plans.load());
  one("tollgate_plan_terms_pending", MetricType::Gauge,
      "1 while organizations may not know of the terms in force of their plans.",
      process.plan_terms_pending.load() ? 1 : 0);
  one("tollgate_store_memory_used_bytes", MetricType::Gauge, "Memory that the store uses.",
      process.store_used_bytes.load());
  one("tollgate_store_memory_max_bytes", MetricType::Gauge,
      "Memory that the store may use (maxmemory); 0: not limited.",
      process.store_most_bytes.load());
  one("tollgate_config_reloads", MetricType::Counter, "Attempts to reload the configuration.",
      process.reloads.load());
  one("tollgate_config_reload_failures", MetricType::Counter,
      "Reloads that were refused; the configuration before stayed in force.",
      process.reload_failures.load());
  one("tollgate_config_last_reload_successful", MetricType::Gauge,
      "1 when the last reload was taken over.", process.reload_succeeded.load() ? 1 : 0);
  one("tollgate_config_loaded_timestamp_seconds", MetricType::Gauge,
      "When the configuration in force was loaded.", process.configuration_loaded_at_ms.load(),
      milli);
  one("tollgate_metering", MetricType::Gauge,
      "0 while metering is off: calls are neither identified nor charged.",
      process.metering.load() ? 1 : 0);
  one("tollgate_draining", MetricType::Gauge, "1 while shutting down.",
      process.draining.load() ? 1 : 0);

  const auto info = read_process_info();
  one("process_start_time_seconds", MetricType::Gauge, "When the process started.",
      info.start_time_ms, milli);
  one("process_cpu_seconds", MetricType::Counter, "CPU time of the process.", info.cpu_ms, milli);
  one("process_resident_memory_bytes", MetricType::Gauge, "Resident memory.", info.resident_bytes);
  one("process_open_fds", MetricType::Gauge, "Open file descriptors.", info.open_fds);
  one("process_max_fds", MetricType::Gauge, "The limit of open file descriptors.", info.max_fds);
  one("process_threads", MetricType::Gauge, "Threads of the process.", info.threads);
}

}  // namespace

thread_metrics& registry::add_thread() {
  const std::lock_guard lock{threads_mutex_};
  return threads_.emplace_back();
}

std::vector<prometheus::MetricFamily> registry::collect() const {
  family_builder out;
  {
    const std::lock_guard lock{threads_mutex_};
    collect_data_plane(out, threads_);
    collect_ledger(out, threads_);
    collect_upstreams(out, threads_);
  }
  collect_payments(out, payments);
  collect_archive(out, archive);
  collect_webhooks(out, webhooks);
  collect_process(out, process);
  return out.take();
}

}  // namespace tollgate::proxy::metrics
