// The ledger of one account, in memory: the oracle for the ledger in Redis.
//
// It keeps these rules of money for every account at every instant:
//   available = granted - settled - held - expired
//   a hold resolves exactly once: settled, voided or expired
//   every change appends one entry, and entries never change
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quota/ledger/account_state.hpp"
#include "quota/ledger/operation.hpp"

namespace tollgate::quota {

enum class entry_type : std::uint8_t {
  reserve,
  extend,
  settle,
  void_hold,
  expire,  // of a hold
  grant,
  forfeit,    // of a grant, when it expired
  roll_over,  // of an allocation into the next cycle: changes no total
  bill,       // overage that will be paid in money: no longer owed in credits
};
// "reserve" "extend" "settle" "void" "expire" "grant" "forfeit" "roll_over" "bill"
std::string_view to_string(entry_type type);

// One immutable line of the ledger. `amount` is the operation's amount: credits put aside (reserve:
// all; extend: the increase), charged (settle), given back (void, expire: the hold; settle:
// `released`), granted, forfeited, rolled over or billed.
struct ledger_entry {
  std::string id;  // in Redis the stream id, "1700000000000-0"; it orders entries
  time_point at;
  entry_type type = entry_type::reserve;
  std::string subject;  // the hold's id, the grant's, or "overage:CYCLE"
  credits amount;
  credits released;   // settle: hold - amount; negative when more was used than held
  credits overage;    // settle: the part beyond all grants; grant: negative, the part of it
                      // that was paid off
  credits available;  // after this entry
  std::int64_t used = 0;
  std::int64_t billed_us = 0;  // see settle
  std::int64_t cycle = 0;      // the cycle in whose books it is
  std::string request_id;
  attribution who;
  // grant, forfeit: the grant's kind; roll_over: "rollover", and the resulting grant; bill:
  // "overage", and the price in millionths of a dollar
  std::string kind, note;
};

class account_ledger {
 public:
  account_ledger() = default;
  // With these terms for critical calls, as a sidecar's configuration has them.
  explicit account_ledger(critical_terms critical) : critical_{critical} {}

  // First applies everything that has become due, in order: expired holds release their credits,
  // grants expire, cycles close.
  answer apply(const operation& operation, time_point now);
  // Time never goes back beyond what has ended. Operations that are applied together share this
  // time.
  time_point time_of(time_point now) const { return std::max(now, old_before()); }

  // Suspension by an administrator, which is not an operation. Each change is reported once.
  void set_suspended(bool suspended, time_point now);
  const account_row& row() const { return row_; }
  // What a reservation could hold, overage included.
  credits spendable() const { return row_.available() + std::max(overage_room(), credits{}); }
  const std::vector<ledger_entry>& entries() const { return entries_; }
  // Forgets the entries so far, which the caller has stored: entries() begins after them.
  void forget_entries() { forgotten_ += std::exchange(entries_, {}).size(); }
  std::size_t forgotten_entries() const { return forgotten_; }
  // A copy without the data that no decision about plans reads: entries, events, and resolutions of
  // holds.
  account_ledger without_history();
  std::size_t open_holds() const { return holds_.size(); }
  std::optional<time_point> next_due() const;

  account_grants grants() const;  // up to date
  credits overdrawn() const;      // used beyond all grants, and not billed
  const std::optional<account_plan>& plan() const { return plan_; }
  std::vector<cycle_record> cycles() const;
  const top_up_state& top_up() const { return top_up_; }
  std::vector<top_up_record> top_ups() const;
  std::vector<std::string> open_top_ups() const;  // requested, pending or timed out, oldest first
  const std::vector<account_event>& events() const { return events_; }
  // Of limits and alerts. Includes those whose window is over, which Redis forgets.
  std::size_t counters() const { return counters_.size() + alert_counters_.size(); }
  // Whether a top-up became due for delivery since the last call.
  bool take_top_up_due() { return std::exchange(top_up_due_, false); }

 private:
  struct hold {
    credits amount;
    time_point expires_at, placed_at;
    std::string request_id;
    attribution who;
    std::optional<use> answered;          // see extend
    std::optional<std::int64_t> counted;  // the sequence when limits counted it; empty: none did
  };
  struct resolution {
    outcome how;
    credits amount;
    std::optional<use> charged = {};  // settled_on_expiry
  };
  struct objection {
    outcome how;
    std::optional<obstacle> why;
    bool final = false;  // also applies to a critical call
  };
  struct limit_counter {
    std::int64_t window = 0;
    credits amount;
    time_point since;        // of the limit for which it was counted
    std::int64_t begun = 0;  // the sequence at which it began to count; unused for limits in total
  };
  // The counter of the alerts with one scope and id, for one agent, conversation or key.
  struct alert_counter {
    std::int64_t cycle = -1;
    credits amount;
    time_point since;
    std::array<std::int64_t, 3> told{};  // by kind: the highest level that has been reported
  };
  struct rate_bucket {
    std::int64_t level = 0;  // a request is 60,000; drained by `per_minute` each millisecond
    time_point at;
  };

  answer on(const reserve&, time_point now);
  answer on(const extend&, time_point now);
  answer on(const release&, time_point now);
  answer on(const settle&, time_point now);
  answer on(const void_hold&, time_point now);
  answer on(const expire_holds&, time_point now);
  answer on(const grant&, time_point now);
  answer on(const configure&, time_point now);
  answer on(const request_top_up&, time_point now);
  answer on(const lease_top_up&, time_point now);
  answer on(const resolve_top_up&, time_point now);
  answer on(const take_back_top_up&, time_point now);

  // Holds (account_ledger.cpp).
  void sweep(time_point now);
  void settle_answered(time_point now);
  bool charge(const hold_id& id, const hold& hold, const use& what, time_point now);
  void resolve(const hold_id& id, resolution how);
  // The resolution of a hold that is not open, if it is known.
  std::optional<resolution> fate(const hold_id& id, time_point now) const;
  // Answers an operation on a hold that is not open. If the id was never seen, it will never be
  // held: `from_now_on` is remembered as its resolution.
  answer gone(const hold_id& id, resolution from_now_on, outcome this_time, time_point now);
  answer say(outcome result, credits amount) const;
  answer say(const resolution& known) const;
  bool can_hold(credits more) const;
  bool can_settle(credits beyond_the_hold) const;
  bool has_room_for(credits more) const;
  credits asked_for() const;  // by open top-ups
  ledger_entry& append(entry_type type, std::string_view subject, credits amount, time_point now);
  void append_of_hold(entry_type type, const hold_id& id, const hold& hold, credits amount,
                      time_point now);

  // The reasons to refuse a hold (account_admission.cpp).
  std::optional<objection> money_objection(credits more, credits beyond) const;
  std::optional<objection> limit_objection(credits more, const attribution& who, time_point now,
                                           const hold* extended) const;
  std::optional<objection> objection_to(credits more, const attribution& who, admission admit,
                                        time_point now, const hold* extended = nullptr) const;
  std::optional<objection> take_request(time_point now);
  std::optional<objection> take_critical_request(time_point now, rate_status& status);
  rate_status rate(time_point now) const;
  std::string counter_of(const spend_limit& limit, const attribution& who) const;
  std::int64_t window_of(const spend_limit& limit, time_point at) const;
  time_point window_end(const spend_limit& limit, time_point now) const;
  void count_new(hold& hold, time_point now);
  void count(const hold& hold, credits more);
  bool counts_first(std::size_t limit) const;
  bool is_meant(std::size_t limit, const hold& hold) const;
  bool has_counted(std::size_t limit, const limit_counter& counter, const hold& hold) const;
  std::int64_t next_sequence(std::int64_t at_least = 0);
  credits overage_room() const;  // including what is owed in credits anyway

  // Grants, cycles and bills (account_cycles.cpp).
  void advance(time_point now);
  void bring_up_to_date();
  void owe_no_more_than_there_is();
  void expire_grants(time_point at, time_point now);
  void run_out(active_grant grant, credits lost, std::int64_t cycle, time_point as_of,
               credits& owed, time_point now);
  void close_cycle(time_point now);
  void bill(credits amount, std::int64_t cycle, time_point now);
  void add_grant(std::string id, std::string kind, credits amount, int priority,
                 time_point expires_at, std::string note, time_point now);
  bool changes_money(const configure& what) const;
  void settle_up(time_point now);
  credits change_terms(const plan_terms& terms, time_point now);
  void change_options(const account_options& options, time_point now);
  bool is_beginning(time_point now) const {
    return plan_ && plan_->cycle == 0 && plan_->began == now;
  }
  credits share_of_cycle(credits allocation, time_point now) const;
  credits longer_share(credits allocation) const;
  time_point end_with_anchor(int day) const;
  credits change_anchor(int day, time_point now);
  void begin_with_anchor(int day, time_point now);
  bool has_room_for(const configure& what) const;
  credits share_for_anchor(credits allocation, int day) const;
  credits room_to_roll(time_point at) const;
  time_point old_before() const;
  bool is_old(const hold& hold) const;  // placed before credits expired, or in a closed cycle
  std::int64_t cycle_of(const hold& hold) const;
  // Charges the use of a hold of a past cycle, or of one that kept credits. The result: the part to
  // be billed at once as that cycle's overage, and the part beyond all grants.
  struct late_use {
    credits to_bill, beyond;
  };
  late_use use_late(const hold& hold, credits used);
  void release_claims(const hold& hold, credits amount);
  void forfeit_unclaimed(time_point now);
  cycle_record& record(std::int64_t cycle) { return records_[cycle]; }

  // Top-ups (account_top_ups.cpp).
  void watch_threshold(time_point now);
  top_up_record* find_top_up(std::string_view id);
  top_up_record* open_automatic();
  std::optional<std::int64_t> purchase_cents() const;
  std::optional<time_point> next_purchase() const;
  bool can_sell(std::int64_t cents) const;
  bool within_cap(std::int64_t more_cents) const;
  void give_up_pending(time_point now);
  void request(std::string id, bool automatic, std::int64_t cents, time_point now);
  void ask_again(top_up_record& record, time_point now);
  answer pay(top_up_record& record, time_point now);
  answer decline(top_up_record& record, time_point now);
  answer put_off(top_up_record& record, bool key_is_spent, time_point now);
  void take_back(const top_up_record& record, std::string reason, credits amount, time_point now);

  // Alerts and events (account_alerts.cpp).
  void emit(std::string type, std::string facts, time_point now);
  void watch_alerts(time_point now);
  void tell_refused(outcome how, time_point now);
  void tell_of_refusal(outcome how, credits needed, time_point now);
  bool reached(const usage_alert& alert) const;
  std::string facts_of(const usage_alert& alert, credits used) const;
  std::string facts_of_cap() const;
  void count_for_alerts(const hold& hold, credits amount, time_point now);
  void count_for_alerts_like(const usage_alert& first, time_point since, const std::string& who,
                             credits amount, time_point now);
  std::optional<credits> level_of(const usage_alert& alert) const;
  credits given_in_cycle() const;
  credits used_in_cycle() const;
  std::int64_t spent_cents() const;  // automatic top-ups and bills of this cycle
  bool spent_of_cap(std::int64_t percent) const;
  void emit_top_up(std::string type, const top_up_record& record, time_point now);

  std::vector<account_event> events_;
  account_row row_;
  account_grants grants_;
  std::optional<account_plan> plan_;
  std::map<std::int64_t, cycle_record> records_;
  top_up_state top_up_;
  std::vector<top_up_record> top_ups_;
  bool top_up_due_ = false;
  rate_bucket bucket_, critical_bucket_;
  critical_terms critical_;
  std::map<std::string, limit_counter> counters_;
  // Grows whenever a limit is set, or a limit's counter begins again. So numbers, not times, decide
  // whether a counter has counted a hold: the clock does not matter.
  std::int64_t sequence_ = 0;
  std::map<std::string, alert_counter> alert_counters_;
  std::map<hold_id, hold> holds_;
  std::map<hold_id, resolution> resolved_;
  std::map<std::string, credits> given_;  // by idempotency key
  std::vector<ledger_entry> entries_;
  std::size_t forgotten_ = 0;
  credits swept_;  // by the current operation
};

}  // namespace tollgate::quota
