#include "quota/verify.hpp"

#include <algorithm>
#include <optional>

#include "quota/ledger/entry_id.hpp"

namespace tollgate::quota {

namespace {

constexpr std::size_t page = 1'000;
constexpr std::int64_t hours_at_once = 24 * 7;

}  // namespace

void audit::add(const ledger_entry& entry) {
  ++entries_;
  last_id_ = entry.id;
  overdrawn_ += entry.overage;
  add_to_books(entry);
  switch (entry.type) {
    case entry_type::reserve:
    case entry_type::extend:
      add_to_hold(entry);
      break;
    case entry_type::settle:
      row_.settled += entry.amount;
      resolve_hold(entry, entry.amount + entry.released);
      compare("overage of entry " + entry.id, entry.overage,
              std::clamp(entry.overage, credits{}, entry.amount));
      break;
    case entry_type::void_hold:
    case entry_type::expire:
      resolve_hold(entry, entry.amount);
      break;
    case entry_type::grant:
    case entry_type::bill:
      row_.granted += entry.amount;
      break;
    case entry_type::forfeit:
      row_.expired += entry.amount;
      break;
    case entry_type::roll_over:
      break;
  }
  compare("available after entry " + entry.id, entry.available, row_.available());
}

void audit::add_to_books(const ledger_entry& entry) {
  auto& books = cycles_[entry.cycle];
  if (entry.type == entry_type::settle) books["settled"] += entry.amount;
  if (entry.type == entry_type::grant) books[entry.kind] += entry.amount;
  if (entry.type == entry_type::forfeit) books["forfeited"] += entry.amount;
  if (entry.type == entry_type::roll_over) books["rolled over"] += entry.amount;
  if (entry.type == entry_type::bill) books["billed"] += entry.amount;
}

void audit::compare_books(const account_snapshot& snapshot) {
  compare("used beyond all grants", snapshot.overdrawn, overdrawn_);
  if (snapshot.overdrawn > credits{}) {
    compare("credits left of grants while others are owed", total(snapshot.grants.active),
            credits{});
  }
  credits rolled_in, rolled_out;
  for (const auto& cycle : snapshot.cycles) {
    auto& proven = cycles_[cycle.index];
    const auto line = [&](std::string_view name, credits recorded) {
      compare("cycle " + std::to_string(cycle.index) + ": " + std::string{name}, recorded,
              proven[std::string{name}]);
    };
    credits billed;
    for (const auto& each : cycle.billed) billed += each.amount;
    line("settled", cycle.closed ? cycle.settled : snapshot.row.settled - cycle.settled);
    line("allocation", cycle.allocation);
    line("purchase", cycle.purchase);
    line("top_up", cycle.top_up);
    line("promotion", cycle.promotion);
    line("correction", cycle.correction);
    line("forfeited", cycle.forfeited);
    line("rolled over", cycle.rolled_out);
    line("billed", billed);
    rolled_in += cycle.rolled_in;
    rolled_out += cycle.rolled_out;
  }
  compare("rolled over into a next cycle", rolled_in, rolled_out);
}

void audit::add_to_hold(const ledger_entry& entry) {
  const bool first = entry.type == entry_type::reserve;
  if (first == holds_.contains(entry.subject)) {
    report("hold " + entry.subject + " at entry " + entry.id, std::string{to_string(entry.type)},
           first ? "it is open already" : "it is not open");
  }
  holds_[entry.subject] += entry.amount;
  row_.held += entry.amount;
}

void audit::resolve_hold(const ledger_entry& entry, credits given_back) {
  const auto hold = holds_.find(entry.subject);
  if (hold == holds_.end()) {
    return report("hold " + entry.subject + " at entry " + entry.id,
                  std::string{to_string(entry.type)}, "it is not open");
  }
  compare("hold " + entry.subject + " at entry " + entry.id, given_back, hold->second);
  row_.held -= hold->second;
  holds_.erase(hold);
}

void audit::finish(const account_snapshot& snapshot, const counters& usage) {
  const auto last = last_id_.empty() ? "0-0" : last_id_;
  if (snapshot.last_entry_id != last) report("last entry", snapshot.last_entry_id, last);
  compare("granted", snapshot.row.granted, row_.granted);
  compare("settled", snapshot.row.settled, row_.settled);
  compare("held", snapshot.row.held, row_.held);
  compare("expired", snapshot.row.expired, row_.expired);
  compare("available", snapshot.row.available(), row_.available());

  for (const auto& open : snapshot.holds) {
    const auto known = holds_.find(open.id.text());
    compare("hold " + std::string{open.id.text()}, open.amount,
            known == holds_.end() ? credits{} : known->second);
    if (known != holds_.end()) holds_.erase(known);
  }
  for (const auto& [id, amount] : holds_) report("hold " + id, "not open", to_string(amount));
  compare_books(snapshot);
  compare("settled by usage counters", usage.total,
          std::clamp(usage.total, usage.settled_before, usage.settled_after));
}

void audit::compare(const std::string& what, credits recorded, credits proven) {
  if (recorded != proven) report(what, to_string(recorded), to_string(proven));
}

void audit::report(std::string what, std::string recorded, std::string proven) {
  if (differences_.size() >= max_differences) return;
  differences_.push_back({std::move(what), std::move(recorded), std::move(proven)});
}

namespace {

// Feeds the audit all entries up to `last`. The hour of the first one, if there is any.
task<result<std::optional<std::int64_t>>> add_entries(ledger_store& store, const org_id& org,
                                                      const std::string& last, audit& books) {
  std::optional<std::int64_t> first_hour;
  std::string after = "0-0";
  while (after != last) {
    const auto entries = co_await store.entries(org, after, page);
    if (!entries) co_return entries.error();
    if (entries->empty()) break;
    for (const auto& entry : *entries) {
      if (parse_entry_id(entry.id) > parse_entry_id(last)) co_return first_hour;
      if (!first_hour) first_hour = hour_of(entry.at);
      books.add(entry);
      after = entry.id;
    }
  }
  co_return first_hour;
}

task<result<credits>> add_counters(ledger_store& store, const org_id& org,
                                   std::int64_t first_hour) {
  credits total;
  // One hour to either side: an entry and its counter may fall on two sides of a full hour.
  const auto last_hour = hour_of(store.now()) + 1;
  for (auto hour = first_hour - 1; hour <= last_hour; hour += hours_at_once) {
    const auto counters =
        co_await store.usage(org, hour, std::min(hour + hours_at_once - 1, last_hour));
    if (!counters) co_return counters.error();
    for (const auto& counter : *counters) total += counter.charged;
  }
  co_return total;
}

}  // namespace

task<result<verification>> verify(ledger_store& store, const org_id& org) {
  const auto snapshot = co_await store.snapshot(org);
  if (!snapshot) co_return snapshot.error();
  audit books;
  const auto first_hour = co_await add_entries(store, org, snapshot->last_entry_id, books);
  if (!first_hour) co_return first_hour.error();

  audit::counters usage;
  if (*first_hour) {
    const auto total = co_await add_counters(store, org, **first_hour);
    if (!total) co_return total.error();
    usage.total = *total;
  }
  const auto later = co_await store.snapshot(org);
  if (!later) co_return later.error();
  usage.settled_before = snapshot->row.settled;
  usage.settled_after = later->row.settled;
  books.finish(*snapshot, usage);
  co_return verification{books.entries(), snapshot->row, books.differences()};
}

}  // namespace tollgate::quota
