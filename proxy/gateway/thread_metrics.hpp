// The counts of one data-plane thread. Every member is written by that thread alone.
//
//   auto& m = registry.add_thread();                    // once per thread
//   const auto bound = m.bind(configuration);           // for every configuration it adopts
//   bound.routes[index]->request(status, end).increment();
//   bound.routes[index]->credits->settled_micro.add(charged.micro());
//   m.overhead.observe(spent_in_tollgate);
//
// Cells are found by name when a configuration is bound and then live as long as the thread. So a
// request that began under an older configuration is still counted in the right cell, and a reload
// loses nothing. There is one cell for each route, action and upstream named by any configuration.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "proxy/gateway/exchange/call_part.hpp"
#include "proxy/gateway/upstream_failure.hpp"
#include "proxy/metrics/cells.hpp"
#include "quota/charge.hpp"
#include "quota/store_state.hpp"
#include "routes/problem.hpp"

namespace tollgate::proxy::metrics {

inline constexpr std::size_t problem_code_count = 24;  // routes::problem_code, with room to grow
inline constexpr std::size_t status_class_count = 6;   // 1xx to 5xx; the first: no answer was sent

constexpr std::size_t status_class_of(int status) noexcept {
  return status >= 100 && status < 600 ? static_cast<std::size_t>(status) / 100 : 0;
}

struct credit_metrics {  // of one action
  counter held_micro, extended_micro, settled_micro, released_micro, voided_micro;
};

struct route_metrics {
  credit_metrics* credits = nullptr;
  std::array<by_enum<quota::stream_end, quota::stream_end_count>, status_class_count> requests;
  by_enum<routes::problem_code, problem_code_count> refusals;  // also answers for upstreams
  counter shadow_refusals;     // would have been refused without shadow mode
  counter beyond_balance;      // calls allowed beyond balance, cap or limit
  counter unmeasurable_audio;  // charged by size
  counter renewals;            // holds renewed while their stream ran

  // `status` is the status sent to the caller; 0 if it left before anything was sent.
  counter& request(int status, quota::stream_end end) noexcept {
    return requests[status_class_of(status)][end];
  }
};

struct upstream_metrics {
  histogram<upstream_bounds_us> response_head;      // request sent to response head
  std::array<counter, status_class_count> answers;  // by the status that the upstream sent
  counter connects, connect_failures;
  counter reuses;   // calls that used an open connection
  counter retries;  // calls repeated because that connection was dead
  gauge open, idle;
  by_enum<upstream_cause, upstream_cause_count> failures;  // of calls, by cause

  counter& answer(int status) noexcept { return answers[status_class_of(status)]; }
};

struct store_metrics {
  gauge ready;                                               // 0 or 1: operations are taken
  gauge trouble;                                             // quota::store_trouble
  std::array<counter, quota::store_trouble_count> troubles;  // how often each was met
  counter voids_given_up;                                    // left to the timeouts of their holds
  counter connects, commands, writes, bytes_out, bytes_in;   // copied from the connection
  counter failures;                                          // operations with an unknown outcome
};

// The cells for the indices of a configuration.
struct bound_metrics {
  std::vector<route_metrics*> routes;        // in the order of route_table::routes()
  route_metrics* no_route = nullptr;         // requests that matched none
  std::vector<upstream_metrics*> upstreams;  // in the order of settings::upstreams
};

struct time_metrics {
  histogram<overhead_bounds_us> overhead;  // in Tollgate itself
  histogram<part_bounds_us> total;
  // Where a call waited; a call that did not wait for a part is not in it.
  std::array<histogram<part_bounds_us>, call_part_count> parts;
};

class thread_metrics {
 public:
  thread_metrics() = default;
  thread_metrics(const thread_metrics&) = delete;

  gauge connections;            // open, downstream
  counter connections_total;    // ever accepted
  gauge in_flight;              // exchanges, without streams of events
  gauge event_streams;          // open, of customers
  gauge open_holds;             // of calls that this thread serves now
  gauge pending_settlements;    // resolutions that the ledger has not confirmed yet
  counter lost_log_lines;       // of the access log
  counter expired_holds_micro;  // credits given back by this thread's sweeps
  time_metrics times;           // of calls
  store_metrics store;

  // Called by the thread that owns this object.
  bound_metrics bind(const config::configuration& configuration);

  // For the scraper, from any thread: calls fn(name, cells) for every route, action or upstream
  // ever bound.
  template <class Fn>
  void for_each_route(Fn&& fn) const {
    for_each(routes_, fn);
  }
  template <class Fn>
  void for_each_action(Fn&& fn) const {
    for_each(actions_, fn);
  }
  template <class Fn>
  void for_each_upstream(Fn&& fn) const {
    for_each(upstreams_, fn);
  }

 private:
  template <class Cells>
  using by_name = std::map<std::string, std::unique_ptr<Cells>>;

  template <class Cells>
  static Cells* cells_of(by_name<Cells>& cells, const std::string& name) {
    auto& found = cells[name];
    if (!found) found = std::make_unique<Cells>();
    return found.get();
  }

  template <class Cells, class Fn>
  void for_each(const by_name<Cells>& cells, Fn& fn) const {
    const std::lock_guard lock{names_};
    for (const auto& [name, cell] : cells) fn(name, *cell);
  }

  mutable std::mutex names_;  // guards the maps, not the cells: bind against scrape
  by_name<route_metrics> routes_;
  by_name<credit_metrics> actions_;
  by_name<upstream_metrics> upstreams_;
};

}  // namespace tollgate::proxy::metrics
