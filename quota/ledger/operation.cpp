#include "quota/ledger/operation.hpp"

namespace tollgate::quota {

const std::string& member_of(const attribution& who, limit_scope scope) {
  switch (scope) {
    case limit_scope::agent:
      return who.agent;
    case limit_scope::conversation:
      return who.conversation;
    case limit_scope::key:
      break;
  }
  return who.key_id;
}

std::string_view to_string(outcome outcome) {
  switch (outcome) {
    case outcome::held:
      return "held";
    case outcome::held_beyond_balance:
      return "held_beyond_balance";
    case outcome::extended:
      return "extended";
    case outcome::settled:
      return "settled";
    case outcome::voided:
      return "voided";
    case outcome::swept:
      return "swept";
    case outcome::granted:
      return "granted";
    case outcome::configured:
      return "configured";
    case outcome::recorded:
      return "recorded";
    case outcome::released:
      return "released";
    case outcome::exists:
      return "exists";
    case outcome::exists_with_different_amount:
      return "exists_with_different_amount";
    case outcome::already_settled:
      return "already_settled";
    case outcome::already_voided:
      return "already_voided";
    case outcome::expired:
      return "expired";
    case outcome::not_found:
      return "not_found";
    case outcome::forgotten:
      return "forgotten";
    case outcome::in_progress:
      return "in_progress";
    case outcome::already_paid:
      return "already_paid";
    case outcome::already_declined:
      return "already_declined";
    case outcome::insufficient_balance:
      return "insufficient_balance";
    case outcome::suspended:
      return "suspended";
    case outcome::out_of_range:
      return "out_of_range";
    case outcome::rate_limited:
      return "rate_limited";
    case outcome::cap_reached:
      return "cap_reached";
    case outcome::limit_reached:
      return "limit_reached";
    case outcome::balance_full:
      return "balance_full";
    case outcome::settled_on_expiry:
      return "settled_on_expiry";
  }
  return "unknown";
}

std::string_view to_string(limit_scope scope) {
  switch (scope) {
    case limit_scope::agent:
      return "agent";
    case limit_scope::conversation:
      return "conversation";
    case limit_scope::key:
      return "key";
  }
  return "unknown";
}

std::string_view to_string(limit_window window) {
  switch (window) {
    case limit_window::hour:
      return "hour";
    case limit_window::day:
      return "day";
    case limit_window::cycle:
      return "cycle";
    case limit_window::total:
      return "total";
  }
  return "unknown";
}

std::string_view to_string(top_up_status status) {
  switch (status) {
    case top_up_status::requested:
      return "requested";
    case top_up_status::pending:
      return "pending";
    case top_up_status::paid:
      return "paid";
    case top_up_status::declined:
      return "declined";
    case top_up_status::timed_out:
      return "timed_out";
  }
  return "unknown";
}

}  // namespace tollgate::quota
