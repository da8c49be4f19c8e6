// The hold of one call: reserves, grows with what is metered, and resolves exactly once, also from
// its destructor. It owns how the call has ended, which decides whether the call is charged.
#pragma once

#include <memory>
#include <optional>

#include "proxy/gateway/exchange/call.hpp"
#include "proxy/gateway/exchange/context.hpp"
#include "proxy/gateway/exchange/metered_body.hpp"
#include "proxy/gateway/settlement.hpp"

namespace tollgate::proxy {

// What became of the attempt to hold all that has been metered.
enum class coverage : std::uint8_t { covered, exhausted, unavailable, abandoned };

// For the access log and the metrics.
struct resolved_charge {
  quota::credits estimate, extended, charged;
  quota::usage used;
  bool settles = false;  // else the hold is voided, and nothing is charged
  bool beyond_balance = false;
};

class held_charge {
 public:
  held_charge(const exchange_context& context, metered_body& body)
      : context_{context}, charges_{context.host.charges()}, body_{body} {}
  ~held_charge() { resolve(); }
  held_charge(const held_charge&) = delete;
  held_charge& operator=(const held_charge&) = delete;

  // --- how the call ends, if nothing more happens ------------------------------------------------
  quota::stream_end how() const { return how_; }
  void ends(quota::stream_end how) { how_ = how; }
  // The answer ended too early. One that was an error stays one: nothing is charged for it.
  void broke_off(quota::stream_end how) {
    if (how_ == quota::stream_end::accepted) how_ = how;
  }
  // The hold is in place, and ending so the call is charged.
  bool settles() const;
  // Once the upstream has the last byte, a client that leaves pays, where its route says so, and so
  // does one whose Tollgate is killed.
  bool pays_from_last_byte() const;

  // --- the hold ----------------------------------------------------------------------------------
  // Before anything is sent.
  task<result<void, problem>> reserve(const call& what);
  bool in_place() const { return charge_ && charge_->reserved == open_charge::reservation::held; }
  // So much has been used by now; `final`: and it is all.
  void meter(quota::usage so_far, bool final);
  bool exhausted() const { return charge_->money.exhausted(); }
  bool covers(quota::usage used) const { return charge_->money.covers(used); }
  // Waits until the hold covers `used`. For a bounded number of the ledger's answers.
  enum class patience : std::uint8_t { until_covered, while_wanted };
  task<coverage> cover(quota::usage used, bool final, patience how_long);
  // Why it cannot grow to what has been counted. `upload_ended`: no more of that will come.
  problem out_of_credits(bool upload_ended) const;

  // The upstream is about to have all of the request.
  void began();
  // It has begun an answer that is charged.
  void answer_began();

  // Once; later calls change nothing. Nothing: no hold was in place.
  std::optional<resolved_charge> resolve();

  // --- what the client is told -------------------------------------------------------------------
  // What this call will cost if it ends as it began; nothing where only its end will tell.
  std::optional<quota::credits> price_in_head() const;
  quota::credits price_of_used() const;
  // What the account has left, all of this call but `charged` given back; nothing: not known.
  std::optional<quota::credits> remaining(std::optional<quota::credits> charged) const;
  const quota::rate_status* rate() const;
  quota::time_point store_time() const { return charges_.now(); }
  std::int64_t store_us() const { return store_us_; }  // waiting for the reservation

 private:
  // `held`: so much of what is required this call has already; the ledger speaks of the rest.
  problem refused_by_ledger(quota::credits required, quota::credits held) const;
  quota::charge::terms terms_of(const call& what) const;

  const exchange_context& context_;
  settlement& charges_;
  metered_body& body_;
  std::shared_ptr<open_charge> charge_;
  quota::stream_end how_ = quota::stream_end::not_sent;
  std::int64_t store_us_ = 0;
  bool resolved_ = false;
};

}  // namespace tollgate::proxy
