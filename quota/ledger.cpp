#include "quota/ledger.hpp"

namespace tollgate::quota {

task<result<void>> bring_up_to_date(ledger& ledger, const org_id& org) {
  const auto pending = co_await ledger.pending(org);
  if (!pending) co_return pending.error();
  if (!pending->due || *pending->due > ledger.now()) co_return result<void>{};
  const operation advance{expire_holds{}};
  const auto done = co_await ledger.apply(org, advance);
  if (!done) co_return done.error();
  co_return result<void>{};
}

}  // namespace tollgate::quota
