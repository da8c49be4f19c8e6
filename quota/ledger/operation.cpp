#include "quota/ledger/operation.hpp"

namespace tollgate::quota {

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
    case outcome::insufficient_balance:
      return "insufficient_balance";
    case outcome::suspended:
      return "suspended";
    case outcome::out_of_range:
      return "out_of_range";
  }
  return "unknown";
}

}  // namespace tollgate::quota
