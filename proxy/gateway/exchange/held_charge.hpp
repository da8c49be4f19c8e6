// The hold of one call: reserves, extends with metered usage, and resolves exactly once, in its
// destructor at the latest. It owns the way the call has ended, which decides whether the call is
// charged.
#pragma once

#include <memory>
#include <optional>

#include "proxy/gateway/exchange/call.hpp"
#include "proxy/gateway/exchange/context.hpp"
#include "proxy/gateway/exchange/metered_body.hpp"
#include "proxy/gateway/settlement.hpp"
#include "routes/ledger_refusal.hpp"

namespace tollgate::proxy {

// The result of trying to hold everything that has been metered.
enum class coverage : std::uint8_t { covered, exhausted, unavailable, abandoned };

// For the access log and the metrics.
struct resolved_charge {
  quota::credits estimate, extended, charged;
  quota::usage used;
  bool settles = false;  // otherwise the hold is voided, and nothing is charged
  bool beyond_balance = false;
  bool shadow = false;
};

class held_charge {
 public:
  held_charge(exchange_context& context, metered_body& body)
      : context_{context}, charges_{context.host.charges()}, body_{body} {}
  ~held_charge() { resolve(); }
  held_charge(const held_charge&) = delete;
  held_charge& operator=(const held_charge&) = delete;

  // --- how the call ends, if nothing else happens ------------------------------------------------
  quota::stream_end how() const { return how_; }
  void ends(quota::stream_end how) { how_ = how; }
  // The answer ended too early. An error remains an error: nothing is charged for it.
  void broke_off(quota::stream_end how) {
    if (how_ == quota::stream_end::accepted) how_ = how;
  }
  // The hold is in place, and a call that ends this way is charged.
  bool settles() const;
  // Once the upstream has the last byte, a client that leaves is charged if its route says so, and
  // so is a call whose Tollgate is killed.
  bool pays_from_last_byte() const;

  // --- the hold ----------------------------------------------------------------------------------
  // Before anything is sent.
  task<result<void, problem>> reserve(const call& what);
  // Before the body is read: whether the ledger refuses even the least that the call can cost.
  // Holds nothing afterwards.
  task<result<void, problem>> ask_for(const routes::least_call& least, const call& what);
  bool in_place() const { return charge_ && charge_->reserved == open_charge::reservation::held; }
  // The usage so far; `final`: there will be no more.
  void meter(quota::usage so_far, bool final);
  bool exhausted() const { return charge_->money.exhausted(); }
  bool covers(quota::usage used) const { return charge_->money.covers(used); }
  // Waits until the hold covers `used`, for a limited number of answers from the ledger.
  enum class patience : std::uint8_t { until_covered, while_wanted };
  task<coverage> cover(quota::usage used, bool final, patience how_long);
  // Why the hold cannot be extended to the counted usage. `upload_ended`: no more of the upload
  // will come.
  problem out_of_credits(bool upload_ended) const;

  // The upstream is about to receive the end of the request.
  void began();
  // The upstream has begun an answer that is charged.
  void answer_began();

  // Takes effect once; later calls change nothing. Nothing: no hold was in place.
  std::optional<resolved_charge> resolve();

  // --- what the client is told -------------------------------------------------------------------
  // The charge if the call ends as it began; nothing if it depends on how the call ends.
  std::optional<quota::credits> price_in_head() const;
  quota::credits price_of_used() const;
  // The account's remaining credits once everything held for this call except `charged` is given
  // back; nothing: not known.
  std::optional<quota::credits> remaining(std::optional<quota::credits> charged) const;
  const quota::rate_status* rate() const;
  quota::time_point store_time() const { return charges_.now(); }

 private:
  // `held`: the part of `required` that this call already has; the ledger's answer is about the
  // rest.
  problem refused_by_ledger(quota::credits required, quota::credits held) const;
  problem to_problem(routes::ledger_refusal refusal) const;
  quota::charge::terms terms_of(const call& what) const;
  quota::charge::terms terms_for(const routes::route& route, quota::usage estimated) const;

  exchange_context& context_;
  settlement& charges_;
  metered_body& body_;
  std::shared_ptr<open_charge> charge_;
  quota::stream_end how_ = quota::stream_end::not_sent;
  bool resolved_ = false;
};

}  // namespace tollgate::proxy
