// The ledger of one account, in memory: the oracle that the ledger in Redis is compared with.
//
// Rules of money kept here, for every account at every instant:
//   available = granted - settled - held - expired
//   a hold resolves exactly once: settled, voided or expired
//   every change appends one entry, and entries never change
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quota/ledger/account_state.hpp"
#include "quota/ledger/operation.hpp"

namespace tollgate::quota {

enum class entry_type : std::uint8_t {
  reserve,
  extend,
  settle,
  void_hold,
  expire,     // of a hold
  grant,
  forfeit,    // of a grant, when it ran out
  roll_over,  // of an allocation into the next cycle: changes no total
  bill,       // overage that will be paid for in money: no longer owed in credits
};
// "reserve" "extend" "settle" "void" "expire" "grant" "forfeit" "roll_over" "bill"
std::string_view to_string(entry_type type);

// One immutable line of the ledger. `amount` is what the operation was about: credits put aside
// (reserve: all; extend: what was added), charged (settle), given back (void, expire: the hold;
// settle: `released`), granted, forfeited, rolled over or billed.
struct ledger_entry {
  std::string id;  // in Redis the stream id, "1700000000000-0"; it orders entries
  time_point at;
  entry_type type = entry_type::reserve;
  std::string subject;  // the hold's id, the grant's, or "overage:CYCLE"
  credits amount;
  credits released;   // settle: hold - amount; negative when more was used than held
  credits overage;    // settle: how much of it lay beyond everything granted; grant: negative, what
                      // of that it paid off
  credits available;  // after this entry
  std::int64_t used = 0;
  std::int64_t cycle = 0;  // whose books it is in
  std::string request_id;
  attribution who;
  // grant, forfeit: the grant's kind; roll_over: "rollover", and the grant it became; bill: "overage",
  // and the price in millionths of a dollar
  std::string kind, note;
};

class account_ledger {
 public:
  // Sweeps first: holds whose timeout has passed by `now` give their credits back before anything
  // else is looked at.
  answer apply(const operation& operation, time_point now);

  void set_suspended(bool suspended) { row_.suspended = suspended; }
  const account_row& row() const { return row_; }
  const std::vector<ledger_entry>& entries() const { return entries_; }
  std::size_t open_holds() const { return holds_.size(); }
  std::optional<time_point> next_expiry() const;

 private:
  struct hold {
    credits amount;
    time_point expires_at;
    std::string request_id;
    attribution who;
  };
  struct resolution {
    outcome how;
    credits amount;
  };

  answer on(const reserve&, time_point now);
  answer on(const extend&, time_point now);
  answer on(const settle&, time_point now);
  answer on(const void_hold&, time_point now);
  answer on(const expire_holds&, time_point now);
  answer on(const grant&, time_point now);

  void sweep(time_point now);
  void resolve(const hold_id& id, outcome how, credits amount);
  // What became of a hold that is not open, if anybody can tell.
  std::optional<resolution> fate(const hold_id& id, time_point now) const;
  // Answers an operation on a hold that is not open. One that was never seen never will be: what it is
  // to be taken for from now on is remembered.
  answer gone(const hold_id& id, resolution from_now_on, outcome this_time, time_point now);
  answer say(outcome result, credits amount) const;
  bool fits(credits more) const;
  ledger_entry& append(entry_type type, std::string_view subject, credits amount, time_point now);
  void append_of_hold(entry_type type, const hold_id& id, const hold& hold, credits amount,
                      time_point now);

  account_row row_;
  std::map<hold_id, hold> holds_;
  std::map<hold_id, resolution> resolved_;
  std::map<std::string, credits> grants_;
  std::vector<ledger_entry> entries_;
  credits swept_;  // by the operation being applied
};

}  // namespace tollgate::quota
