#include "quota/audit.hpp"

#include <algorithm>

namespace tollgate::quota {

namespace {

// Old counters have no agents and conversations: they were dropped.
std::string counted_by(const attribution& who) {
  return who.route + '\t' + who.action + '\t' + who.model + '\t' + who.key_id;
}

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
    case entry_type::settle: {
      row_.settled += entry.amount;
      resolve_hold(entry, entry.amount + entry.released);
      compare("entry " + entry.id + ": overage", entry.overage,
              std::clamp(entry.overage, credits{}, std::max(entry.amount, credits{})));
      auto& use = settled_[counted_by(entry.who)];
      use = {use.charged + entry.amount, use.calls + 1, use.used + entry.used,
             use.billed_us + entry.billed_us};
      break;
    }
    case entry_type::void_hold:
    case entry_type::expire:
      resolve_hold(entry, entry.amount);
      break;
    case entry_type::grant:
      add_grant(entry, false);
      [[fallthrough]];
    case entry_type::bill:
      row_.granted += entry.amount;
      break;
    case entry_type::forfeit:
      row_.expired += entry.amount;
      break;
    case entry_type::roll_over:
      rolled_[entry.note].push_back(entry.amount);
      break;
  }
  compare("entry " + entry.id + ": available", entry.available, row_.available());
}

void audit::add_later(const ledger_entry& entry) {
  if (entry.type == entry_type::grant) add_grant(entry, true);
  if (entry.type != entry_type::settle) return;
  auto& use = later_[counted_by(entry.who)];
  use = {use.charged + entry.amount, use.calls + 1, use.used + entry.used,
         use.billed_us + entry.billed_us};
}

void audit::count(const usage_counter& counter) {
  auto& use = counted_[counted_by(counter.who)];
  use = {use.charged + counter.charged, use.calls + counter.calls, use.used + counter.used,
         use.billed_us + counter.billed_us};
}

void audit::add_to_books(const ledger_entry& entry) {
  auto& books = cycles_[entry.cycle];
  if (entry.type == entry_type::settle) books["settled"] += entry.amount;
  if (entry.type == entry_type::grant) books[entry.kind] += entry.amount;
  if (entry.type == entry_type::forfeit) books["forfeited"] += entry.amount;
  if (entry.type == entry_type::roll_over) books["rolled over"] += entry.amount;
  if (entry.type == entry_type::bill) books["billed at " + entry.note] += entry.amount;
}

// Grants by an administrator, top-ups and allocations have separate namespaces.
void audit::add_grant(const ledger_entry& entry, bool later) {
  const bool own = entry.kind == "allocation" || entry.kind == "top_up";
  const auto name = (own ? entry.kind : "grant") + ' ' + entry.subject;
  const auto [place, fresh] =
      given_.try_emplace(name, given{entry.amount, entry.kind, entry.note, later});
  if (!fresh && entry.kind == "allocation") {
    place->second.amount += entry.amount;
    ++place->second.entries;
  } else if (!fresh) {
    report("entry " + entry.id + ": " + name, to_string(entry.amount), "it was granted already");
  }
}

void audit::add_to_hold(const ledger_entry& entry) {
  const bool first = entry.type == entry_type::reserve;
  if (first == holds_.contains(entry.subject)) {
    report("entry " + entry.id + ": hold " + entry.subject, std::string{to_string(entry.type)},
           first ? "it is open already" : "it is not open");
  }
  auto& hold = holds_[entry.subject];
  if (first) hold = {{}, entry.request_id, entry.who, entry.cycle};
  hold.amount += entry.amount;
  row_.held += entry.amount;
}

void audit::resolve_hold(const ledger_entry& entry, credits given_back) {
  const auto what = "entry " + entry.id + ": hold " + entry.subject;
  const auto found = holds_.find(entry.subject);
  if (found == holds_.end())
    return report(what, std::string{to_string(entry.type)}, "it is not open");
  const auto& hold = found->second;
  compare(what, given_back, hold.amount);
  compare(what + " request", entry.request_id, hold.request_id);
  if (entry.who != hold.who) report(what, counted_by(entry.who), counted_by(hold.who));
  compare_number(what + " cycle", entry.cycle, hold.cycle);
  row_.held -= hold.amount;
  holds_.erase(found);
}

void audit::compare(const std::string& what, credits recorded, credits proven) {
  if (recorded != proven) report(what, to_string(recorded), to_string(proven));
}

void audit::compare(const std::string& what, const std::string& recorded,
                    const std::string& proven) {
  if (recorded != proven) report(what, recorded, proven);
}

void audit::compare_number(const std::string& what, std::int64_t recorded, std::int64_t proven) {
  if (recorded != proven) report(what, std::to_string(recorded), std::to_string(proven));
}

void audit::report(std::string what, std::string recorded, std::string proven) {
  if (differences_.size() >= max_differences) return;
  differences_.push_back({std::move(what), std::move(recorded), std::move(proven)});
}

}  // namespace tollgate::quota
