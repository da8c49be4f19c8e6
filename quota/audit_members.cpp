#include "quota/audit_members.hpp"

#include <algorithm>
#include <bit>
#include <set>

#include <openssl/sha.h>

namespace tollgate::quota {

namespace {

constexpr std::size_t digest_size = 10;

// How far a limit's sequence number may be ahead of the clock by which the limit was set.
constexpr milliseconds ahead_at_most = std::chrono::hours{1};

std::string digest_of(std::string_view field) {
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(field.data()), field.size(), digest);
  return {reinterpret_cast<const char*>(digest), digest_size};
}

// The page of a total; see ledger/scripts/packed_totals.lua.
std::int64_t page_of(std::string_view digest, std::int64_t pages) {
  std::uint32_t hash = 0;
  for (const char byte : digest.substr(0, 4)) hash = hash << 8 | static_cast<unsigned char>(byte);
  const auto level = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(pages)));
  const auto number = static_cast<std::int64_t>(hash) % (2 * level);
  return number < pages ? number : number - level;
}

std::string digit(auto value) {
  return std::to_string(static_cast<int>(value));
}

}  // namespace

member_audit::member_audit(const account_guards& guards) : guards_{guards} {
  if (!guards.snapshot.plan) return;
  for (const auto& cycle : guards.snapshot.cycles) cycles_[cycle.index] = &cycle;
  for (const auto& counter : guards.counters) counters_[counter.field] = &counter;
  add_limits(*guards.snapshot.plan);
  add_alerts(*guards.snapshot.plan);
}

void member_audit::add_limits(const account_plan& plan) {
  for (std::size_t i = 0; i < plan.options.limits.size(); ++i) {
    const auto& limit = plan.options.limits[i];
    group each;
    each.field = digit(limit.scope) + digit(limit.per) + '\t' + limit.id + '\t';
    each.name = "limit in " + std::string{to_string(limit.per)} + " of " +
                std::string{to_string(limit.scope)} + ' ' + limit.id;
    each.scope = limit.scope;
    each.id = limit.id;
    each.per = limit.per;
    each.since = plan.limits_since[i];
    const auto same = std::ranges::find(groups_, each.field, &group::field);
    if (same == groups_.end()) {
      groups_.push_back(std::move(each));
    } else {
      ++same->times;
    }
  }
}

void member_audit::add_alerts(const account_plan& plan) {
  for (std::size_t i = 0; i < plan.options.alerts.size(); ++i) {
    const auto& alert = plan.options.alerts[i];
    if (!alert.scope) continue;
    group each;
    each.field = 'a' + digit(*alert.scope) + '\t' + alert.id + '\t';
    each.name = "alerts of " + std::string{to_string(*alert.scope)} + ' ' + alert.id;
    each.scope = *alert.scope;
    each.id = alert.id;
    each.of_alerts = true;
    each.since = plan.alerts_since[i];
    const auto same = std::ranges::find(groups_, each.field, &group::field);
    if (same == groups_.end()) groups_.push_back(std::move(each));
  }
}

// No time is earlier than the start of the cycle in which it was recorded, except in the first
// cycle. So anything set before a cycle's start was set in an earlier cycle.
bool member_audit::is_counted_for_certain(const group& group, std::int64_t cycle) const {
  const auto books = cycles_.find(cycle);
  if (cycle == 0 || books == cycles_.end()) return false;
  return group.of_alerts ? group.since < books->second->start : group.since <= books->second->start;
}

bool member_audit::may_be_counted(const group& group, std::int64_t cycle) const {
  const auto books = cycles_.find(cycle);
  const bool of_this = group.of_alerts || group.per == limit_window::cycle;
  if (of_this && cycle != guards_.snapshot.plan->cycle) return false;
  return books == cycles_.end() || !books->second->closed ||
         books->second->end + ahead_at_most > group.since;
}

void member_audit::add(const ledger_entry& entry) {
  const bool of_hold = entry.type == entry_type::reserve || entry.type == entry_type::extend ||
                       entry.type == entry_type::settle || entry.type == entry_type::void_hold ||
                       entry.type == entry_type::expire;
  if (!of_hold) return;
  for (auto& group : groups_) {
    const auto& member = member_of(entry.who, group.scope);
    const bool meant = group.id == "*" || group.id == member;
    if (meant && may_be_counted(group, entry.cycle)) count(group, entry);
  }
}

// After a settlement, what remains of a hold is its charge; after a release, nothing remains of the
// released part.
void member_audit::count(group& group, const ledger_entry& entry) {
  auto& member = group.members[member_of(entry.who, group.scope)];
  credits more;
  switch (entry.type) {
    case entry_type::reserve:
    case entry_type::extend:
      more = group.of_alerts ? credits{} : entry.amount;
      break;
    case entry_type::settle:
      more = group.of_alerts ? entry.amount : -entry.released;
      break;
    default:
      more = group.of_alerts ? credits{} : -entry.amount;
  }
  // An earlier release counted once for each of them; it may have subtracted what was given back as
  // often, or once.
  member.most += credits::from_micro(more.micro() * (more > credits{} ? group.times : 1));
  member.ever += credits::from_micro(std::max(more, credits{}).micro() * group.times);
  if (is_counted_for_certain(group, entry.cycle)) member.least += more;
}

// Packed totals must be in the page where they are looked up, and as many as the table says.
void member_audit::take_packed(group& group) {
  packed_.clear();
  if (group.of_alerts || group.per != limit_window::total || group.id != "*") return;
  const auto table = std::ranges::find(guards_.packed, group.field, &packed_table::limit);
  const bool in_force =
      table != guards_.packed.end() && table->since == group.since && table->pages > 0;
  std::int64_t count = 0;
  for (const auto& page : guards_.pages) {
    if (!page.limit_and_number.starts_with(group.field) || page.since != group.since) continue;
    const auto number = page.limit_and_number.substr(group.field.size());
    for (const auto& [digest, amount] : page.totals) {
      ++count;
      if (in_force && table->count > 0 && number == std::to_string(page_of(digest, table->pages)))
        packed_[digest] = amount;
    }
  }
  const auto recorded = in_force ? table->count : 0;
  if (recorded != count)
    tell(group.name + ": totals that are packed", std::to_string(recorded), std::to_string(count));
}

void member_audit::compare(group& group) {
  take_packed(group);
  for (const auto& [field, counter] : counters_) {  // also those without an entry
    if (field.starts_with(group.field)) group.members.try_emplace(field.substr(group.field.size()));
  }
  const auto window =
      group.of_alerts || group.per == limit_window::cycle ? guards_.snapshot.plan->cycle : 0;
  const bool by_the_clock = group.per == limit_window::hour || group.per == limit_window::day;
  for (const auto& [member, proven] : group.members) {
    const auto field = group.field + member;
    credits recorded;
    const auto counter = counters_.find(field);
    const auto packed = packed_.find(digest_of(field));
    if (counter != counters_.end()) {
      const bool current = counter->second->since == group.since &&
                           (by_the_clock || counter->second->window == window);
      if (current) recorded = counter->second->amount;
    } else if (packed != packed_.end()) {
      recorded = packed->second;
    }
    if (packed != packed_.end()) packed_.erase(packed);
    const auto what = group.name + ": counted for " + member;
    if (by_the_clock) {
      if (recorded > proven.ever)
        tell(what, to_string(recorded), "at most " + to_string(proven.ever));
      if (recorded < credits{}) tell(what, to_string(recorded), "at least 0");
    } else if (recorded > proven.most) {
      tell(what, to_string(recorded),
           (proven.least == proven.most ? "" : "at most ") + to_string(proven.most));
    } else if (recorded < proven.least) {
      tell(what, to_string(recorded),
           (proven.least == proven.most ? "" : "at least ") + to_string(proven.least));
    }
  }
  for (const auto& [digest, amount] : packed_) {
    if (amount > credits{})
      tell(group.name + ": a total that is packed", to_string(amount), "no entry");
  }
}

// No recorded number exceeds the account's sequence. Data of releases without numbers has none.
void member_audit::compare_sequence() {
  std::int64_t noted = 0;
  for (const auto& hold : guards_.snapshot.holds) noted = std::max(noted, hold.counted.value_or(0));
  for (const auto& counter : guards_.counters) noted = std::max(noted, counter.begun);
  if (guards_.sequence > 0) {
    for (const auto& group : groups_) {
      if (!group.of_alerts) noted = std::max(noted, group.since.time_since_epoch().count());
    }
  }
  if (noted > guards_.sequence)
    tell("sequence of limits", std::to_string(guards_.sequence),
         "at least " + std::to_string(noted));
}

std::vector<difference> member_audit::finish() {
  if (guards_.snapshot.plan) compare_sequence();
  for (auto& group : groups_) compare(group);
  return std::move(found_);
}

void member_audit::tell(std::string what, const std::string& recorded, const std::string& proven) {
  if (found_.size() < audit::max_differences) found_.push_back({std::move(what), recorded, proven});
}

}  // namespace tollgate::quota
