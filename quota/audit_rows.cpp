// Compares the rows beside an account's ledger with the entries.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "quota/audit.hpp"
#include "quota/cycle.hpp"

namespace tollgate::quota {

namespace {

std::string text_of(time_point at) {
  return std::to_string(at.time_since_epoch().count());
}

bool is_open(const top_up_record& record) {
  return record.status == top_up_status::requested || record.status == top_up_status::pending ||
         (record.automatic && record.status == top_up_status::timed_out);
}

std::string joined(const std::set<std::string>& ids) {
  std::string all;
  for (const auto& id : ids) all += (all.empty() ? "" : ", ") + id;
  return all.empty() ? "none" : all;
}

// The word after `name` in the facts of an event.
std::string fact(std::string_view facts, std::string_view name) {
  const auto place = (" " + std::string{facts}).find(" " + std::string{name} + " ");
  if (place == std::string::npos) return {};
  const auto from = place + name.size() + 1;
  return std::string{facts.substr(from, facts.find(' ', from) - from)};
}

bool is_boundary(int anchor, time_point at) {
  return cycle_end(anchor, at - milliseconds{1}) == at;
}

}  // namespace

void audit::finish(const account_snapshot& snapshot, const account_rows& rows) {
  const auto last = last_id_.empty() ? "0-0" : last_id_;
  if (snapshot.last_entry_id != last) report("last entry", snapshot.last_entry_id, last);
  compare_totals(snapshot);
  compare_holds(snapshot);
  compare_books(snapshot);
  compare_order_of_cycles(snapshot);
  if (snapshot.plan && !snapshot.cycles.empty())
    compare_plan(*snapshot.plan, snapshot.cycles.back());
  compare_active(snapshot, rows);
  compare_kept(snapshot);
  compare_grants(rows);
  compare_top_ups(snapshot, rows);
  compare_usage();
}

void audit::compare_totals(const account_snapshot& snapshot) {
  compare("granted", snapshot.row.granted, row_.granted);
  compare("settled", snapshot.row.settled, row_.settled);
  compare("held", snapshot.row.held, row_.held);
  compare("expired", snapshot.row.expired, row_.expired);
  compare("available", snapshot.row.available(), row_.available());
  compare("used beyond all grants", snapshot.overdrawn, overdrawn_);
  if (snapshot.overdrawn > credits{}) {
    compare("credits left of grants while others are owed", total(snapshot.grants.active),
            credits{});
  }
}

void audit::compare_holds(const account_snapshot& snapshot) {
  for (const auto& open : snapshot.holds) {
    const auto what = "hold " + std::string{open.id.text()};
    const auto known = holds_.find(open.id.text());
    if (known == holds_.end()) {
      report(what, to_string(open.amount), "not open");
      continue;
    }
    const auto& hold = known->second;
    compare(what + ": amount", open.amount, hold.amount);
    compare(what + ": request", open.request_id, hold.request_id);
    if (open.who != hold.who) report(what + ": who pays", open.who.route, hold.who.route);
    auto cycle = snapshot.plan ? snapshot.plan->cycle : 0;
    for (auto books = snapshot.cycles.rbegin(); books != snapshot.cycles.rend() && cycle > 0;
         ++books) {
      if (books->index == cycle && books->start > open.placed_at) --cycle;
    }
    compare_number(what + ": cycle in which it was placed", cycle, hold.cycle);
    holds_.erase(known);
  }
  for (const auto& [id, hold] : holds_) report("hold " + id, "not open", to_string(hold.amount));
}

void audit::compare_books(const account_snapshot& snapshot) {
  credits rolled_in, rolled_out;
  for (const auto& cycle : snapshot.cycles) {
    auto& proven = cycles_[cycle.index];
    const auto name = "cycle " + std::to_string(cycle.index) + ": ";
    const auto line = [&](std::string_view what, credits recorded) {
      compare(name + std::string{what}, recorded, proven[std::string{what}]);
    };
    line("settled", cycle.closed ? cycle.settled : snapshot.row.settled - cycle.settled);
    line("allocation", cycle.allocation);
    line("purchase", cycle.purchase);
    line("top_up", cycle.top_up);
    line("promotion", cycle.promotion);
    line("correction", cycle.correction);
    line("forfeited", cycle.forfeited);
    line("rolled over", cycle.rolled_out);
    std::map<std::string, credits, std::less<>> billed;
    for (const auto& each : cycle.billed) {
      billed["billed at " + std::to_string(each.usd_micro_per_credit)] += each.amount;
    }
    for (const auto& [price, amount] : proven) {
      if (price.starts_with("billed at ")) billed.try_emplace(price);
    }
    for (const auto& [price, amount] : billed) line(price, amount);
    rolled_in += cycle.rolled_in;
    rolled_out += cycle.rolled_out;
  }
  compare("rolled over into a next cycle", rolled_in, rolled_out);
}

void audit::compare_order_of_cycles(const account_snapshot& snapshot) {
  const cycle_record* before = nullptr;
  for (const auto& cycle : snapshot.cycles) {
    const auto name = "cycle " + std::to_string(cycle.index) + ": ";
    if (before != nullptr) {
      compare_number("cycle behind " + std::to_string(before->index), cycle.index,
                     before->index + 1);
      compare(name + "start", text_of(cycle.start), text_of(before->end));
    }
    const bool is_last = &cycle == &snapshot.cycles.back();
    if (cycle.closed == is_last)
      report(name + "closed", cycle.closed ? "1" : "0", is_last ? "0" : "1");
    before = &cycle;
  }
  for (const auto& [index, proven] : cycles_) {
    const auto same = [&](const auto& each) { return each.index == index; };
    const bool there = std::any_of(snapshot.cycles.begin(), snapshot.cycles.end(), same);
    for (const auto& [name, amount] : proven) {
      // An account that never had a grant or a plan has no books yet.
      const bool written = snapshot.plan || name != "settled";
      if (!there && written && amount != credits{}) {
        report("cycle " + std::to_string(index) + ": " + name, "none", to_string(amount));
      }
    }
  }
}

void audit::compare_plan(const account_plan& plan, const cycle_record& books) {
  compare_number("plan: cycle", plan.cycle, books.index);
  compare("plan: start", text_of(plan.start), text_of(books.start));
  compare("plan: end", text_of(plan.end), text_of(books.end));
  if (!is_boundary(plan.anchor_day, plan.end)) {
    report("plan: anchor day", std::to_string(plan.anchor_day),
           "day " + std::to_string(day_of_month(plan.end)));
  }
  if (plan.owed < credits{} || plan.owed > std::max(overdrawn_, credits{})) {
    report("plan: owed", to_string(plan.owed), "at most " + to_string(overdrawn_));
  }
  const auto whole = given_.find("allocation allocation:" + std::to_string(plan.cycle));
  const auto allotted = whole == given_.end() ? credits{} : whole->second.amount;
  // In a cycle that a change of anchor has lengthened, the allocation is larger than usual.
  const bool usual = cycle_end(plan.anchor_day, plan.start) == plan.end;
  if (usual && whole != given_.end() && books.allocation == allotted) {
    compare("plan: largest allocation of the cycle", plan.peak,
            std::max(plan.terms.allocation, allotted));
  } else if (plan.peak < plan.terms.allocation) {
    report("plan: largest allocation of the cycle", to_string(plan.peak),
           "at least " + to_string(plan.terms.allocation));
  }
}

// A late call that releases credits lets them roll over again: into the previous grant, or into a
// new one with the same name if that one is used up. So the grant is the last credits rolled over,
// or the last two together, and so on.
credits audit::amount_rolled(const active_grant& grant) const {
  credits sum;
  const auto& entries = rolled_.find(grant.id)->second;
  for (auto each = entries.rbegin(); each != entries.rend() && sum < grant.amount; ++each)
    sum += *each;
  return sum;
}

void audit::compare_active(const account_snapshot& snapshot, const account_rows& rows) {
  std::map<std::string_view, const grant_record*> records;
  for (const auto& record : rows.grants) records[record.id] = &record;
  for (const auto& grant : snapshot.grants.active) {
    const auto what = "grant " + grant.id + " that is left: ";
    const bool own = grant.kind == "allocation" || grant.kind == "top_up";
    const bool of_a_cycle = grant.kind == "allocation" || grant.kind == "rollover";
    const auto known = given_.find((own ? grant.kind : "grant") + ' ' + grant.id);
    const bool is_rollover = grant.kind == "rollover";
    if (is_rollover ? !rolled_.contains(grant.id) : known == given_.end()) {
      report(what + "amount", to_string(grant.amount), "no entry");
      continue;
    }
    const auto amount = is_rollover ? amount_rolled(grant) : known->second.amount;
    const bool one_of_many = grant.kind == "allocation" && known->second.entries > 1;
    if (!one_of_many || grant.amount > amount) compare(what + "amount", grant.amount, amount);
    if (!is_rollover) compare(what + "kind", grant.kind, known->second.kind);
    if (grant.remaining <= credits{} || grant.remaining > grant.amount) {
      report(what + "remaining", to_string(grant.remaining), "at most " + to_string(grant.amount));
    }
    const auto record = own || of_a_cycle ? records.end() : records.find(grant.id);
    const auto priority =
        record == records.end() ? default_priority(grant.kind) : record->second->priority;
    compare_number(what + "priority", grant.priority, priority);
    const auto ends_with = [&](const cycle_record& cycle) {
      return cycle.rollover_ends == grant.expires_at;
    };
    const bool fits = !of_a_cycle || !snapshot.plan ||
                      is_boundary(snapshot.plan->anchor_day, grant.expires_at) ||
                      std::any_of(snapshot.cycles.begin(), snapshot.cycles.end(), ends_with);
    if (!fits) report(what + "expires", text_of(grant.expires_at), "the end of a cycle");
    if (of_a_cycle) continue;
    compare(what + "expires", text_of(grant.expires_at),
            text_of(record == records.end() ? never : record->second->expires_at));
    if (record == records.end()) continue;
    // A grant from before the first cycle, made while the clock was ahead, is recorded as of that
    // cycle's start.
    const bool before =
        snapshot.plan && grant.at == snapshot.plan->began && record->second->at > grant.at;
    if (!before) compare(what + "granted at", text_of(grant.at), text_of(record->second->at));
  }
}

// The claims on a kept batch are at least the open holds that were placed before it; holds placed
// while the clock was ahead may add to them.
void audit::compare_kept(const account_snapshot& snapshot) {
  for (const auto& batch : snapshot.grants.kept) {
    const auto what = "credits kept until " + text_of(batch.until) + ": ";
    credits before;
    for (const auto& hold : snapshot.holds) {
      if (hold.placed_at < batch.until) before += hold.amount;
    }
    compare(what + "claims", batch.claims,
            std::clamp(batch.claims, before, std::max(before, row_.held)));
    for (const auto& grant : batch.grants) {
      compare(what + "until", text_of(batch.until), text_of(grant.expires_at));
      if (grant.remaining > credits{} && grant.remaining <= grant.amount) continue;
      report(what + grant.id, to_string(grant.remaining), "at most " + to_string(grant.amount));
    }
  }
  if (snapshot.grants.kept_total() > row_.held) {
    report("credits kept for open holds", to_string(snapshot.grants.kept_total()),
           "at most " + to_string(row_.held));
  }
}

// "grant top-up:ID:..." is a correction by the ledger itself, for a payment that came back; never
// more than was paid.
bool audit::is_taken_back(const std::string& name, credits amount) const {
  constexpr std::string_view prefix = "grant top-up:";
  if (!name.starts_with(prefix) || amount > credits{}) return false;
  for (auto end = name.find(':', prefix.size()); end != name.npos; end = name.find(':', end + 1)) {
    const auto paid =
        given_.find("top_up top-up:" + name.substr(prefix.size(), end - prefix.size()));
    if (paid != given_.end()) return -amount <= paid->second.amount;
  }
  return false;
}

void audit::compare_grants(const account_rows& rows) {
  std::set<std::string> recorded;
  for (const auto& record : rows.grants) {
    const auto name = "grant " + record.id;
    const auto known = given_.find(name);
    recorded.insert(name);
    if (known == given_.end()) {
      report(name, to_string(record.amount), "no entry");
      continue;
    }
    compare(name + ": amount", record.amount, known->second.amount);
    compare(name + ": kind", record.kind, known->second.kind);
    compare(name + ": note", record.note, known->second.note);
  }
  for (const auto& [name, given] : given_) {
    const bool kept =
        name.starts_with("grant ") && !given.later && !is_taken_back(name, given.amount);
    if (kept && !recorded.contains(name)) report(name, "none", to_string(given.amount));
  }
}

void audit::compare_top_ups(const account_snapshot& snapshot, const account_rows& rows) {
  std::map<std::string, const account_event*> told;
  for (const auto& event : rows.events) {
    const auto place = event.facts.rfind(" top_up ");
    const bool of_one = event.type.starts_with("top_up_") && place != std::string::npos;
    if (of_one) told[event.facts.substr(place + 8)] = &event;
  }
  std::set<std::string> paid;
  for (const auto& record : rows.top_ups) {
    const auto what = "top-up " + record.id + ": ";
    const auto name = "top_up top-up:" + record.id;
    const auto granted = given_.find(name);
    const bool is_paid = record.status == top_up_status::paid;
    if (is_paid && granted == given_.end())
      report(what + "status", "paid", "no credits were granted");
    if (!is_paid && granted != given_.end() && !granted->second.later) {
      report(what + "status", std::string{to_string(record.status)}, "paid");
    }
    if (granted != given_.end()) compare(what + "credits", record.amount, granted->second.amount);
    paid.insert(name);
    compare_taken_back(record);
    const auto event = told.find(record.id);
    if (event == told.end()) continue;
    compare(what + "credits as told", std::to_string(record.amount.micro()),
            fact(event->second->facts, "credits"));
    compare(what + "cents as told", std::to_string(record.cents),
            fact(event->second->facts, "cents"));
  }
  for (const auto& [name, given] : given_) {
    if (name.starts_with("top_up ") && !given.later && !paid.contains(name)) {
      report(name.substr(7), "none", to_string(given.amount));
    }
  }
  if (rows.top_ups_at_rest) compare_top_up_state(snapshot, rows);
}

// Refunds and disputes: corrections named after the top-up. Together they equal the part of the
// payment that came back.
void audit::compare_taken_back(const top_up_record& record) {
  const auto prefix = "grant top-up:" + record.id + ":";
  credits back, later;
  for (auto each = given_.lower_bound(prefix);
       each != given_.end() && each->first.starts_with(prefix); ++each) {
    (each->second.later ? later : back) -= each->second.amount;
  }
  const auto recorded = record.status == top_up_status::paid ? taken_back(record) : credits{};
  const auto what = "top-up " + record.id + ": ";
  compare(what + "taken back", recorded, std::clamp(recorded, back, back + later));
  compare_cents_back(record, prefix + "refund:", what + "refunded", record.refunded_cents);
  compare_cents_back(record, prefix + "dispute:", what + "disputed", record.disputed_cents);
}

// The name of a correction ends with the total of cents that had come back. Refunds reported before
// the payment, and those that took back nothing more, have no correction. If there may be such
// refunds, the total in the name is a minimum.
void audit::compare_cents_back(const top_up_record& record, const std::string& prefix,
                               const std::string& what, std::int64_t recorded) {
  std::int64_t least = 0, most = 0;
  for (auto each = given_.lower_bound(prefix);
       each != given_.end() && each->first.starts_with(prefix); ++each) {
    const auto cents = std::strtoll(each->first.c_str() + prefix.size(), nullptr, 10);
    if (!each->second.later) least = std::max<std::int64_t>(least, cents);
    most = std::max<std::int64_t>(most, cents);
  }
  const bool early = given_.contains("grant top-up:" + record.id + ":early");
  const bool paid = record.status == top_up_status::paid;
  const bool all_is_back = record.refunded_cents + record.disputed_cents >= record.cents;
  const bool each_takes = record.amount.micro() >= 2 * record.cents;
  const bool exact = paid && !early && !all_is_back && each_takes;
  compare_number(what, recorded,
                 exact ? std::clamp(recorded, least, most) : std::max(recorded, least));
}

void audit::compare_top_up_state(const account_snapshot& snapshot, const account_rows& rows) {
  std::set<std::string> open;
  std::int64_t spent = 0, automatic = 0;
  for (const auto& record : rows.top_ups) {
    if (is_open(record)) open.insert(record.id);
    if (record.automatic != record.id.starts_with("tu_")) {
      report("top-up " + record.id + ": automatic", record.automatic ? "yes" : "no",
             "not by its id");
    }
    if (!record.automatic) continue;
    ++automatic;
    const bool counts = snapshot.plan && record.cycle == snapshot.plan->cycle;
    if (counts && record.status != top_up_status::declined) spent += record.cents;
  }
  compare("open top-ups", joined({snapshot.open_top_ups.begin(), snapshot.open_top_ups.end()}),
          joined(open));
  compare_number("top-ups: cents of this cycle", snapshot.top_up.spent_cents, spent);
  compare_number("top-ups: how many were automatic", snapshot.top_up.count, automatic);
}

// Counters continue to count while they are read: each must be between the settled amounts before
// and after.
void audit::compare_usage() {
  std::set<std::string> all;
  for (const auto* each : {&settled_, &counted_}) {
    for (const auto& [who, use] : *each) all.insert(who);
  }
  for (const auto& who : all) {
    const auto &before = settled_[who], &later = later_[who], &counted = counted_[who];
    auto name = "usage of " + who;
    std::ranges::replace(name, '\t', ' ');
    compare(name + ": credits", counted.charged,
            std::clamp(counted.charged, before.charged, before.charged + later.charged));
    compare_number(name + ": calls", counted.calls,
                   std::clamp(counted.calls, before.calls, before.calls + later.calls));
    compare_number(name + ": used", counted.used,
                   std::clamp(counted.used, before.used, before.used + later.used));
    compare_number(
        name + ": billed", counted.billed_us,
        std::clamp(counted.billed_us, before.billed_us, before.billed_us + later.billed_us));
  }
}

}  // namespace tollgate::quota
