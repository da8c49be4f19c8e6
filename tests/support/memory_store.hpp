// The ledger and the directory in memory, over the oracle, for tests of code that uses
// them.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "quota/account_history.hpp"
#include "quota/directory.hpp"
#include "quota/ledger.hpp"
#include "tests/support/fault_plan.hpp"

namespace tollgate::tests {

using namespace quota;  // tests use the ledger's names

class memory_store : public ledger, public account_history, public directory {
 public:
  time_point time{};               // the store's clock; the test moves it
  bool reachable = true;           // false: every call answers store_errc::unavailable
  std::int64_t callers_from = 0;   // callers_known_from()
  int usage_generations = 0;       // the remaining changes of generation, one per call
  long long forgotten_events = 0;  // of each account: gap_behind() reports them as gone
  int gaps_asked = 0;
  int spendable_asked = 0;
  std::function<void()> after_spendable;
  int calls_until_lost = -1;     // from this call on, calls are executed but their answers are lost
  fault_plan* faults = nullptr;  // its steps are answers of the ledger, and of the directory
  std::function<void()> on_top_ups;  // called while top-ups are requested
  std::set<org_id> unreadable;       // store_errc::protocol is the answer for these

  account_ledger& account(const org_id& org) { return accounts_[org].ledger; }
  void add_usage(const org_id& org, usage_counter counter) {
    accounts_[org].usage.push_back(std::move(counter));
  }

  task<result<answer>> apply(const org_id& org, const operation& operation) override {
    co_return answer_to(org, operation);
  }
  void submit(const org_id& org, const operation& operation, then then) override {
    std::move(then)(answer_to(org, operation));
  }

  task<result<account_snapshot>> snapshot(const org_id& org) override {
    if (!reachable) co_return store_errc::unavailable;
    account_snapshot out;
    const auto& ledger = accounts_[org].ledger;
    out.row = ledger.row();
    out.grants = ledger.grants();
    out.overdrawn = ledger.overdrawn();
    out.plan = ledger.plan();
    out.top_up = ledger.top_up();
    out.open_top_ups = ledger.open_top_ups();
    out.cycles = ledger.cycles();
    out.holds = accounts_[org].holds;
    out.last_entry_id = "0-0";
    co_return out;
  }

  task<result<std::vector<ledger_entry>>> entries(const org_id& org, std::string after,
                                                  std::size_t limit) override {
    if (!reachable) co_return store_errc::unavailable;
    std::vector<ledger_entry> out;
    for (const auto& entry : accounts_[org].ledger.entries()) {
      if (number(entry.id) > number(after) && out.size() < limit) out.push_back(entry);
    }
    co_return out;
  }

  task<result<std::vector<grant_record>>> grants(const org_id& org) override {
    if (!reachable || loses_answer()) co_return store_errc::unavailable;
    co_return accounts_[org].grants;
  }

  task<result<std::vector<usage_counter>>> usage(const org_id& org, std::int64_t first_hour,
                                                 std::int64_t last_hour) override {
    if (!reachable) co_return store_errc::unavailable;
    std::vector<usage_counter> out;
    for (const auto& counter : accounts_[org].usage) {
      if (counter.hour >= first_hour && counter.hour <= last_hour) out.push_back(counter);
    }
    co_return out;
  }

  task<result<std::vector<usage_counter>>> usage_summary(const org_id& org, std::int64_t first_hour,
                                                         std::int64_t last_hour) override {
    auto found = co_await usage(org, first_hour, last_hour);
    if (!found) co_return found.error();
    for (auto& counter : *found) counter.who.agent = counter.who.conversation = "";
    co_return found;
  }

  task<result<std::vector<usage_counter>>> hourly_usage(const org_id& org, std::int64_t first_hour,
                                                        std::int64_t last_hour) override {
    return usage(org, first_hour, last_hour);
  }
  task<result<std::vector<usage_counter>>> summed_usage(const org_id& org, std::int64_t first_hour,
                                                        std::int64_t last_hour) override {
    return usage_summary(org, first_hour, last_hour);
  }
  task<result<std::vector<usage_counter>>> late_usage(const org_id&, std::int64_t,
                                                      std::int64_t) override {
    if (!reachable) co_return store_errc::unavailable;
    co_return std::vector<usage_counter>{};
  }

  task<result<std::string>> usage_generation(const org_id&, std::int64_t, std::int64_t) override {
    using generation = result<std::string>;
    if (!reachable) co_return generation{boost::system::in_place_error, store_errc::unavailable};
    // Each call returns another generation while some remain.
    if (usage_generations > 0) --usage_generations;
    co_return generation{boost::system::in_place_value, std::to_string(usage_generations)};
  }

  task<result<std::int64_t>> callers_known_from(const org_id&) override {
    if (!reachable) co_return store_errc::unavailable;
    co_return callers_from;
  }

  task<result<std::vector<cycle_record>>> cycles(const org_id& org) override {
    if (!reachable) co_return store_errc::unavailable;
    co_return accounts_[org].ledger.cycles();
  }

  task<result<std::vector<top_up_record>>> top_ups(const org_id& org) override {
    if (!reachable || loses_answer()) co_return store_errc::unavailable;
    if (on_top_ups) on_top_ups();
    co_return accounts_[org].ledger.top_ups();
  }

  task<result<pending_work>> pending(const org_id& org) override {
    if (!reachable) co_return store_errc::unavailable;
    const auto& ledger = accounts_[org].ledger;
    co_return pending_work{ledger.next_due(), ledger.open_top_ups(), ledger.open_holds()};
  }

  task<result<credits>> spendable(const org_id& org) override {
    ++spendable_asked;
    if (!reachable) co_return store_errc::unavailable;
    const auto found = accounts_[org].ledger.spendable();
    if (after_spendable) after_spendable();
    co_return found;
  }

  task<result<std::vector<account_event>>> events(const org_id& org, std::string after,
                                                  std::size_t limit) override {
    if (!reachable) co_return store_errc::unavailable;
    std::vector<account_event> out;
    for (const auto& event : accounts_[org].ledger.events()) {
      if (number(event.id) > number(after) && out.size() < limit) out.push_back(event);
    }
    co_return out;
  }

  task<result<account_changes>> changes(const org_id& org, std::optional<stream_positions> after,
                                        std::optional<stream_positions> until) override {
    if (!reachable) co_return store_errc::unavailable;
    const auto& ledger = accounts_[org].ledger;
    account_changes out;
    out.row = ledger.row();
    const auto beyond = [&](const std::string& id, std::string stream_positions::*mark) {
      return until && number(id) > number((*until).*mark);
    };
    if (after) out.up_to = *after;
    for (const auto& event : ledger.events()) {
      if (number(event.id) <= number(out.up_to.event)) continue;
      if (beyond(event.id, &stream_positions::event)) break;
      out.up_to.event = event.id + "-0";
      if (!after) continue;
      out.events.push_back(event);
      out.events.back().id = out.up_to.event;
    }
    for (const auto& entry : ledger.entries()) {
      if (number(entry.id) <= number(out.up_to.entry)) continue;
      if (beyond(entry.id, &stream_positions::entry)) break;
      out.up_to.entry = entry.id;
      out.moved = true;
      if (!after || entry.type != entry_type::settle) continue;
      out.charged += entry.amount;
      out.calls += 1;
      out.last_entry_at = entry.at;
    }
    co_return out;
  }

  task<result<account_gap>> gap_behind(const org_id& org, stream_positions after,
                                       time_point told_from) override {
    if (!reachable) co_return store_errc::unavailable;
    account_gap gap;
    gap.events = number(after.event) < forgotten_events;
    for (const auto& entry : accounts_[org].ledger.entries()) {
      if (number(entry.id) > number(after.entry) && entry.at < told_from) gap.usage = true;
    }
    ++gaps_asked;
    co_return gap;
  }

  void on_top_up(top_up_listener listener) override { listener_ = std::move(listener); }
  void on_event(event_listener listener) override { event_listener_ = std::move(listener); }

  time_point now() const override { return time; }
  bool ready() const override { return reachable; }

  // An open hold to show in snapshots; the oracle does not expose its own.
  void show_hold(const org_id& org, open_hold hold) { accounts_[org].holds.push_back(hold); }

  task<result<std::optional<organization>>> find(const org_id& org) override {
    if (!reachable) co_return store_errc::unavailable;
    if (unreadable.contains(org)) co_return store_errc::protocol;
    const auto found = orgs_.find(org);
    co_return found == orgs_.end() ? std::nullopt : std::optional{found->second};
  }

  task<result<changed_organization>> change(const org_id& org,
                                            const organization_change& what) override {
    if (!reachable) co_return store_errc::unavailable;
    changed_organization changed;
    const auto found = orgs_.find(org);
    const auto options = found == orgs_.end() ? account_options{} : found->second.options;
    if (what.instead_of && options != *what.instead_of) {
      changed.stale = true;
      co_return changed;
    }
    changed.created = !orgs_.contains(org);
    auto& stored = orgs_[org];
    stored.id = org;
    if (changed.created) stored.created_at = time;
    if (what.plan) stored.plan = *what.plan;
    if (what.shadow) stored.shadow = *what.shadow;
    if (what.suspended) stored.suspended = *what.suspended;
    if (what.options) stored.options = *what.options;
    if (what.custom_terms) stored.custom_terms = *what.custom_terms;
    if (what.stripe_customer) stored.stripe_customer = *what.stripe_customer;
    auto& account = accounts_[org].ledger;
    const auto known = account.events().size();
    account.set_suspended(stored.suspended, time);
    changed.told = account.events().size() > known;
    changed.now = stored;
    co_return changed;
  }

  task<result<std::vector<organization>>> list(std::string after, std::size_t limit) override {
    if (!reachable) co_return store_errc::unavailable;
    std::vector<organization> out;
    for (auto org = orgs_.upper_bound(after); org != orgs_.end() && out.size() < limit; ++org) {
      out.push_back(org->second);
    }
    co_return out;
  }

  task<result<std::vector<org_id>>> ids(std::string after, std::size_t limit) override {
    const auto page = co_await list(std::move(after), limit);
    if (!page) co_return page.error();
    std::vector<org_id> out;
    for (const auto& org : *page) out.push_back(org.id);
    co_return out;
  }

  task<result<account_page>> accounts(std::string) override {
    if (!reachable) co_return store_errc::unavailable;
    account_page page;
    for (const auto& [org, data] : accounts_) page.orgs.push_back(org);
    co_return page;
  }

  task<result<bool>> is_listed(const org_id& org) override {
    if (!reachable) co_return result<bool>{boost::system::in_place_error, store_errc::unavailable};
    co_return orgs_.contains(org);
  }

  task<result<void>> add_key(const org_id& org, const api_key& key, const key_hash& hash) override {
    if (!reachable) co_return store_errc::unavailable;
    keys_[hash] = {org, key};
    co_return result<void>{};
  }

  task<result<std::vector<api_key>>> keys(const org_id& org) override {
    if (!reachable) co_return store_errc::unavailable;
    std::vector<api_key> out;
    for (const auto& [hash, owned] : keys_) {
      if (owned.org == org) out.push_back(owned.key);
    }
    co_return out;
  }

  task<result<bool>> revoke_key(const org_id& org, std::string key_id) override {
    if (!reachable) co_return store_errc::unavailable;
    for (auto& [hash, owned] : keys_) {
      if (owned.org != org || owned.key.id != key_id) continue;
      if (!owned.key.revoked_at) owned.key.revoked_at = time;
      co_return true;
    }
    co_return false;
  }

  task<result<std::optional<key_owner>>> find_key(const key_hash& hash) override {
    if (!reachable || (faults != nullptr && faults->next_fails())) {
      co_return store_errc::unavailable;
    }
    const auto found = keys_.find(hash);
    if (found == keys_.end() || found->second.key.revoked_at) {
      co_return std::optional<key_owner>{};
    }
    const auto& owned = found->second;
    key_owner owner;
    owner.org = owned.org;
    owner.key_id = owned.key.id;
    owner.plan = orgs_[owned.org].plan;
    owner.shadow = orgs_[owned.org].shadow;
    owner.suspended = orgs_[owned.org].suspended;
    co_return std::optional{std::move(owner)};
  }

 private:
  result<answer> answer_to(const org_id& org, const operation& operation) {
    if (!reachable) return store_errc::unavailable;
    if (unreadable.contains(org)) return store_errc::protocol;
    const bool fails = faults != nullptr && faults->next_fails();
    if (fails && !faults->is_done_first()) return store_errc::unavailable;
    auto& account = accounts_[org];
    const auto known = account.ledger.events().size();
    const auto answered = account.ledger.apply(operation, time);
    if (answered.result == outcome::granted && std::holds_alternative<quota::grant>(operation)) {
      const auto& grant = std::get<quota::grant>(operation);
      account.grants.push_back({grant.id, grant.kind, grant.note, grant.amount, time,
                                grant.expires_at,
                                grant.priority.value_or(default_priority(grant.kind))});
    }
    if (account.ledger.take_top_up_due() && listener_) listener_(org);
    if (account.ledger.events().size() > known && event_listener_) event_listener_(org);
    if (fails || loses_answer()) return store_errc::unavailable;
    return answered;
  }

  struct account_data {
    account_ledger ledger;
    std::vector<grant_record> grants;
    std::vector<usage_counter> usage;
    std::vector<open_hold> holds;
  };
  struct owned_key {
    org_id org;
    api_key key;
  };

  static long long number(const std::string& entry_id) { return std::stoll(entry_id); }
  bool loses_answer() { return calls_until_lost >= 0 && calls_until_lost-- == 0; }

  top_up_listener listener_;
  event_listener event_listener_;
  std::map<org_id, account_data> accounts_;
  std::map<org_id, organization> orgs_;
  std::map<key_hash, owned_key> keys_;
};

}  // namespace tollgate::tests
