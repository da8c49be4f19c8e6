// Figures shown beside an account's totals: the supply of the cycle, where its calls end, how close
// that is. They are computed only here; pages and reports only show them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "quota/account_history.hpp"

namespace tollgate::proxy::admin {

// Of the open cycle.
struct cycle_figures {
  quota::credits supply;  // the opening balance and everything granted since
  quota::credits used;    // settled
  // When this much is used, the ledger refuses calls that are not critical. Nullopt: overage has no
  // limit. May be less than `used` after critical calls exceeded it.
  std::optional<quota::credits> ends_at;

  bool operator==(const cycle_figures&) const = default;
};

// Nullopt for an account that was never configured.
std::optional<cycle_figures> figures_of_cycle(const quota::account_snapshot& account);

// Use beyond all grants in the open cycle.
struct overage_figures {
  quota::credits amount;
  quota::credits
      priced;  // the part that costs money: already billed, or billed if the cycle closed now
  std::int64_t cents = 0;
  // The next grants pay it off, never money: it is beyond the cap, without a price, or older.
  quota::credits owed;

  bool operator==(const overage_figures&) const = default;
};
overage_figures overage_of(const quota::account_snapshot& account);

enum class standing : std::uint8_t {
  no_credits_yet,
  in_credit,
  nearly_used_up,  // four fifths of the current grants are used
  near_spend_cap,  // four fifths of the cap are used
  in_overage,
  no_credits_left,    // calls are refused
  spend_cap_reached,  // calls are refused
};
std::string_view to_string(standing standing);

struct standing_figures {
  standing state = standing::no_credits_yet;
  // Tenths of a percent, rounded half up. `used` is relative to the original amount of the grants
  // that still have credits.
  std::int64_t used_permille = 0;
  std::optional<std::int64_t> cap_permille;  // empty: there is no cap

  bool operator==(const standing_figures&) const = default;
};
standing_figures standing_of(const quota::account_snapshot& account);

}  // namespace tollgate::proxy::admin
