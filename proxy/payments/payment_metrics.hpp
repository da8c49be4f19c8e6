// Counters of top-ups, written by the control thread.
#pragma once

#include "proxy/metrics/cells.hpp"
#include "proxy/payments/payment_answer.hpp"

namespace tollgate::proxy::metrics {

inline constexpr std::size_t top_up_verdict_count = 5;    // quota::top_up_verdict
inline constexpr std::size_t payment_mismatch_count = 5;  // payments::payment_mismatch
inline constexpr std::size_t payment_event_count = 5;     // payment_event_end

// The result of an event from Stripe.
enum class payment_event_end : std::uint8_t {
  applied = 0,      // the ledger has recorded it, now or before
  ignored = 1,      // not ours, or of an unused type
  repeated = 2,     // the same event again
  refused = 3,      // not signed by Stripe, or unreadable
  unavailable = 4,  // Stripe has to send it again: the store or Stripe was unavailable
};

struct payment_metrics {
  by_enum<quota::top_up_verdict, top_up_verdict_count> top_ups;  // by the result of each delivery
  by_enum<payments::payment_mismatch, payment_mismatch_count> mismatches;
  by_enum<payment_event_end, payment_event_count> events;
};

}  // namespace tollgate::proxy::metrics
