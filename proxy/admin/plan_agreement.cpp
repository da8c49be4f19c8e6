#include "proxy/admin/plan_agreement.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "proxy/net/sleep.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::chrono::milliseconds tick{100};
constexpr std::chrono::seconds between_presentations{5};
constexpr std::chrono::seconds longest_part{2};  // of a walk, until the plans may be presented
constexpr std::chrono::seconds before_a_repetition{1};
constexpr std::chrono::seconds before_the_failed_again{5};  // accounts that could not be read

const quota::plan_terms* find_terms(const std::vector<quota::plan_terms>& all,
                                    std::string_view plan) {
  const auto found = std::ranges::find(all, plan, &quota::plan_terms::plan);
  return found == all.end() ? nullptr : &*found;
}

std::vector<quota::plan_terms> terms_of(const config::settings& settings) {
  std::vector<quota::plan_terms> all;
  for (const auto& plan : settings.plans) {
    if (!plan.custom) all.push_back(plan.terms);
  }
  return all;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

}  // namespace

plan_agreement::plan_agreement(io_executor executor, quota::store& store, std::string sidecar,
                               configuration_ptr own)
    : executor_{std::move(executor)},
      store_{store},
      sidecar_{std::move(sidecar)},
      own_{std::move(own)},
      in_force_{own_} {}

// Until the store has answered, the terms that were in force stay.
void plan_agreement::use(configuration_ptr own) {
  own_ = std::move(own);
  bring_up_to_date();
  present_now_ = true;
}

void plan_agreement::bring_up_to_date() {
  auto next = std::make_shared<config::configuration>(*own_);
  for (auto& plan : next->values.plans) {
    const auto* terms = plan.custom ? nullptr : find_terms(known_, plan.name);
    if (terms != nullptr) plan.terms = *terms;
  }
  in_force_ = std::move(next);
}

task<> plan_agreement::run() {
  auto next = std::chrono::steady_clock::now();
  while (!stopped_) {
    co_await sleep_for(executor_, tick);
    if (stopped_ || !store_.ledger().ready()) continue;
    if (present_now_ || std::chrono::steady_clock::now() >= next) {
      present_now_ = false;
      next = std::chrono::steady_clock::now() + between_presentations;
      const auto presented = co_await present(quota::plan_consent::needed);
      if (!presented) present_now_ = pending();
    }
    if (pending() && !present_now_) co_await propagate();
  }
}

// In parts, so that other sidecars hear of this one meanwhile. A part that stops because the store
// is in trouble is repeated: the walk is over when all organizations were reached.
task<> plan_agreement::propagate() {
  const auto begun = std::chrono::steady_clock::now();
  if (walk_.configuration != in_force_) {
    walk_ = {.configuration = in_force_, .after = {}, .failed = {}};
    walk_at_ = begun;
  }
  if (begun < walk_at_) co_return;
  while (!stopped_ && pending() && std::chrono::steady_clock::now() < begun + longest_part) {
    const bool went_on =
        co_await propagate_plan_terms(store_.ledger(), store_.history(), store_.directory(), walk_);
    if (walk_.configuration != in_force_) co_return;
    if (went_on) continue;
    walk_at_ = std::chrono::steady_clock::now() +
               (walk_.visited_all ? before_the_failed_again : before_a_repetition);
    if (!std::exchange(interrupted_, true)) {
      spdlog::warn(
          "plans: the terms in force have not reached all organizations: the walk has stopped "
          "after {}; it continues until all have them",
          walk_.after.empty() ? "none" : walk_.after);
    }
    co_return;
  }
  if (pending() || !std::exchange(interrupted_, false)) co_return;
  spdlog::warn("plans: the terms in force have reached all organizations");
}

task<result<void>> plan_agreement::apply() {
  return present(quota::plan_consent::given);
}

task<> plan_agreement::leave() {
  if (store_.ledger().ready()) co_await store_.plans().leave(sidecar_);
}

task<result<void>> plan_agreement::present(quota::plan_consent consent) {
  const auto own = own_;
  const auto found = co_await store_.plans().present(sidecar_, terms_of(own->values), consent);
  if (!found) {
    if (found.error() == quota::store_errc::protocol) note_refusal(store_.plans().refused());
    co_return found.error();
  }
  note_refusal({quota::store_trouble::none, {}});
  if (own != own_) co_return result<void>{};  // a reload: its plans are presented next
  say(*found);
  unconfirmed_ = found->unconfirmed;
  knows_ = true;
  if (found->in_force == known_) co_return result<void>{};
  known_ = found->in_force;
  bring_up_to_date();
  co_return result<void>{};
}

// One line for each change.
void plan_agreement::note_refusal(quota::store_state next) {
  if (next.detail == refused_.detail) return;
  refused_ = std::move(next);
  if (refused_.ready()) {
    spdlog::info("plans: the store says again which terms are in force");
  } else {
    spdlog::error("plans: the store does not say which terms are in force: {}", refused_.detail);
  }
}

void plan_agreement::say(const quota::presented_plans& found) {
  for (const auto& before : found.replaced) {
    spdlog::warn("plan {}: its terms have changed, for all organizations with their next cycle",
                 before.plan);
  }
  if (found.unconfirmed == unconfirmed_) return;
  if (found.unconfirmed.empty()) {
    spdlog::warn("plans: the terms of this configuration are in force again");
    return;
  }
  spdlog::error(
      "plans: this configuration has other terms for {} than the other Tollgates at this store; "
      "the terms in force stay. Give all of them the same configuration, or confirm this one: "
      "tollgate plans apply",
      list_of(found.unconfirmed));
}

}  // namespace tollgate::proxy::admin
