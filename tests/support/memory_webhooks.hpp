// Webhook endpoints in memory, beside the events of a memory_store.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "quota/webhook_store.hpp"
#include "tests/support/memory_store.hpp"

namespace tollgate::tests {

class memory_webhooks final : public webhook_store {
 public:
  explicit memory_webhooks(memory_store& ledger) : ledger_{ledger} {}

  bool reachable = true;
  int answers_lost = 0;  // this many of the next steps are executed, but their answers are lost

  webhook_endpoint& endpoint(const org_id& org, const std::string& id) {
    return *find(org, id);  // the caller knows that it exists
  }
  std::vector<dead_letter>& letters(const org_id& org, const std::string& id) {
    return letters_[{org, id}];
  }

  task<result<webhook_overview>> read(const org_id& org) override {
    if (!reachable) co_return store_errc::unavailable;
    webhook_overview out;
    out.now = ledger_.time;
    out.last_event = last_event(org);
    out.endpoints = endpoints_[org];
    co_return out;
  }
  task<result<std::vector<org_id>>> orgs(std::string after, std::size_t limit) override {
    std::vector<org_id> out;
    for (auto at = endpoints_.upper_bound(after); at != endpoints_.end(); ++at) {
      if (out.size() < limit) out.push_back(at->first);
    }
    co_return out;
  }

  task<result<webhook_outcome>> add(const org_id& org, const webhook_endpoint& endpoint,
                                    std::string secret) override {
    if (!reachable) co_return store_errc::unavailable;
    if (find(org, endpoint.id) != nullptr) co_return webhook_outcome::exists;
    if (endpoints_[org].size() >= most_endpoints) co_return webhook_outcome::full;
    auto added = endpoint;
    added.created_at = added.since = ledger_.time;
    added.cursor = last_event(org);
    added.secrets = {webhook_secret{std::move(secret), ledger_.time, {}, {}}};
    endpoints_[org].push_back(std::move(added));
    co_return webhook_outcome::done;
  }
  task<result<webhook_outcome>> change(const org_id& org, std::string id,
                                       const webhook_change& what) override {
    if (!reachable) co_return store_errc::unavailable;
    auto* known = find(org, id);
    if (known == nullptr) co_return webhook_outcome::not_found;
    if (what.url || (what.disabled && what.disabled->empty() && !known->disabled.empty())) {
      known->since = ledger_.time;
    }
    if (what.url) known->url = *what.url;
    if (what.description) known->description = *what.description;
    if (what.events) known->events = *what.events;
    if (what.disabled) known->disabled = *what.disabled;
    known->next_at = ledger_.time;
    give_back(*known);
    co_return webhook_outcome::done;
  }
  task<result<webhook_outcome>> retry_now(const org_id& org, std::string id) override {
    if (!reachable) co_return store_errc::unavailable;
    auto* known = find(org, id);
    if (known == nullptr) co_return webhook_outcome::not_found;
    known->next_at = ledger_.time;
    co_return webhook_outcome::done;
  }
  task<result<webhook_outcome>> remove(const org_id& org, std::string id) override {
    if (!reachable) co_return store_errc::unavailable;
    const auto gone = [&](const auto& each) { return each.id == id; };
    co_return std::erase_if(endpoints_[org], gone) > 0 ? webhook_outcome::done
                                                       : webhook_outcome::not_found;
  }
  task<result<webhook_outcome>> rotate(const org_id& org, std::string id, webhook_secret secret,
                                       milliseconds overlap) override {
    if (!reachable) co_return store_errc::unavailable;
    auto* known = find(org, id);
    if (known == nullptr) co_return webhook_outcome::not_found;
    const auto made_it = [&](const auto& each) { return each.key == secret.key; };
    if (std::ranges::any_of(known->secrets, made_it)) co_return webhook_outcome::exists;
    if (known->secrets.size() >= most_secrets) co_return webhook_outcome::full;
    known->secrets.front().until = ledger_.time + overlap;
    secret.since = ledger_.time;
    known->secrets.insert(known->secrets.begin(), std::move(secret));
    co_return webhook_outcome::done;
  }

  task<result<webhook_outcome>> finish_rotation(const org_id& org, std::string id) override {
    if (!reachable) co_return store_errc::unavailable;
    auto* known = find(org, id);
    if (known == nullptr) co_return webhook_outcome::not_found;
    known->secrets.resize(1);
    known->next_at = ledger_.time;
    give_back(*known);
    co_return webhook_outcome::done;
  }

  task<result<std::optional<leased_webhook>>> lease(const webhook_lease& lease) override {
    if (!reachable) co_return store_errc::unavailable;
    auto* known = find(lease.org, lease.endpoint);
    const bool free = known != nullptr && known->disabled.empty() &&
                      known->next_at <= ledger_.time &&
                      (known->leased_until <= ledger_.time || holder_[known->id] == lease.token);
    if (!free) co_return std::optional<leased_webhook>{};
    const auto due = std::max({known->next_at, known->last.at, known->since});
    if (ledger_.time - due > std::chrono::hours{1}) known->since = ledger_.time;
    holder_[known->id] = lease.token;
    known->leased_until = ledger_.time + lease.duration;
    leased_webhook leased;
    leased.endpoint = *known;
    co_return std::optional{std::move(leased)};
  }
  task<result<webhook_outcome>> delivered(const webhook_lease& lease, std::string event,
                                          int status) override {
    webhook_attempt attempt;
    attempt.status = status;
    co_return step(lease, [&](webhook_endpoint& known) { done_with(known, event, attempt); });
  }
  task<result<webhook_outcome>> skipped(const webhook_lease& lease, std::string event) override {
    co_return step(lease, [&](webhook_endpoint& known) { known.cursor = event; });
  }
  task<result<webhook_outcome>> died(const webhook_lease& lease,
                                     const dead_letter& letter) override {
    co_return step(lease, [&](webhook_endpoint& known) {
      if (known.cursor == letter.event) return;  // repeated
      letters_[{lease.org, known.id}].push_back(letter);
      letters_[{lease.org, known.id}].back().attempts = known.attempts + 1;
      done_with(known, letter.event, letter.last);
    });
  }
  task<result<webhook_outcome>> failed(const webhook_lease& lease, const webhook_attempt& attempt,
                                       time_point next_at) override {
    co_return step(lease, [&](webhook_endpoint& known) {
      ++known.attempts;
      write_down(known, attempt);
      known.next_at = next_at;
      give_back(known);
    });
  }
  task<result<webhook_outcome>> gone(const webhook_lease& lease, const webhook_attempt& attempt,
                                     std::string why) override {
    co_return step(lease, [&](webhook_endpoint& known) {
      write_down(known, attempt);
      known.disabled = why;
      give_back(known);
    });
  }
  task<result<webhook_outcome>> release(const webhook_lease& lease) override {
    bool more = false;
    const auto outcome = step(lease, [&](webhook_endpoint& known) {
      more = known.cursor != last_event(lease.org);
      give_back(known);
    });
    if (outcome && *outcome == webhook_outcome::done && more) co_return webhook_outcome::more;
    co_return outcome;
  }

  task<result<std::vector<dead_letter>>> dead_letters(const org_id& org, std::string id,
                                                      std::string, std::size_t limit) override {
    auto found = letters_[{org, id}];
    found.resize(std::min(found.size(), limit));
    co_return found;
  }
  task<result<std::optional<dead_letter>>> find_dead_letter(const org_id& org, std::string id,
                                                            std::string event) override {
    for (const auto& each : letters_[{org, id}]) {
      if (each.event == event) co_return std::optional{each};
    }
    co_return std::optional<dead_letter>{};
  }
  task<result<void>> remove_dead_letter(const org_id& org, std::string id,
                                        std::string event) override {
    std::erase_if(letters_[{org, id}], [&](const auto& each) { return each.event == event; });
    co_return result<void>{};
  }

  time_point now() const override { return ledger_.time; }

 private:
  webhook_endpoint* find(const org_id& org, const std::string& id) {
    for (auto& each : endpoints_[org]) {
      if (each.id == id) return &each;
    }
    return nullptr;
  }
  std::string last_event(const org_id& org) {
    const auto& events = ledger_.account(org).events();
    return events.empty() ? "0-0" : events.back().id;
  }
  void give_back(webhook_endpoint& known) {
    known.leased_until = {};
    holder_.erase(known.id);
  }
  void write_down(webhook_endpoint& known, const webhook_attempt& attempt) {
    known.last = attempt;
    known.last.at = ledger_.time;
  }
  void done_with(webhook_endpoint& known, const std::string& event,
                 const webhook_attempt& attempt) {
    known.cursor = event;
    known.attempts = 0;
    known.next_at = {};
    write_down(known, attempt);
  }
  template <class Do>
  result<webhook_outcome> step(const webhook_lease& lease, Do what) {
    if (!reachable) return store_errc::unavailable;
    auto* known = find(lease.org, lease.endpoint);
    const auto holder = holder_.find(lease.endpoint);
    const bool ours = known != nullptr && holder != holder_.end() && holder->second == lease.token;
    if (ours) what(*known);
    if (answers_lost > 0) {
      --answers_lost;
      return store_errc::unavailable;
    }
    return ours && known->disabled.empty() ? webhook_outcome::done : webhook_outcome::lost;
  }

  memory_store& ledger_;
  std::map<org_id, std::vector<webhook_endpoint>> endpoints_;
  std::map<std::string, std::string> holder_;  // endpoint -> token
  std::map<std::pair<org_id, std::string>, std::vector<dead_letter>> letters_;
};

}  // namespace tollgate::tests
