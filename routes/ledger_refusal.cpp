#include "routes/ledger_refusal.hpp"

#include <algorithm>
#include <cstdio>

#include "routes/text.hpp"

namespace tollgate::routes {

namespace {

using quota::credits;

// "2026-12-01T00:00:00Z". Rounded up to the second, so that it is never before the renewal.
std::string utc(quota::time_point time) {
  namespace chrono = std::chrono;
  const auto second = chrono::ceil<chrono::seconds>(time);
  const auto day = chrono::floor<chrono::days>(second);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{second - day};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

bool ends(const ledger_refusal& refusal) {
  return refusal.obstacle.until != quota::time_point{};
}

void add(problem& out, std::string name, credits amount) {
  out.facts.push_back({std::move(name), to_string(amount), false});
}
void add(problem& out, std::string name, std::int64_t number) {
  out.facts.push_back({std::move(name), std::to_string(number), false});
}
void add(problem& out, std::string name, std::string_view text) {
  out.facts.push_back({std::move(name), std::string{text}, true});
}

std::string needs(const ledger_refusal& refusal) {
  return (refusal.is_least ? "This call needs at least " : "This call needs ") +
         to_string(refusal.required) + " credits";
}

// Says that a top-up may come before the next cycle.
void add_top_up(problem& out, const ledger_refusal& refusal) {
  if (!refusal.obstacle.top_up_open) return;
  out.message += " A top-up is pending; its credits arrive with the payment.";
  out.facts.push_back({"top_up_pending", "true", false});
}

// Says that other calls may release credits.
void add_held(problem& out, const ledger_refusal& refusal) {
  if (refusal.obstacle.held <= credits{}) return;
  const auto held = to_string(refusal.obstacle.held);
  out.message += " Open calls hold " + held + " credits.";
  add(out, "held_credits", refusal.obstacle.held);
}

// Completes the message. It also says what may come before the next cycle.
void end_with_ways_out(problem& out, const ledger_refusal& refusal) {
  if (ends(refusal)) {
    out.message += ", or wait for the next cycle at " + utc(refusal.obstacle.until);
    add(out, "renews_at", utc(refusal.obstacle.until));
  }
  out.message += '.';
  add_held(out, refusal);
  add_top_up(out, refusal);
}

problem insufficient_credits(const ledger_refusal& refusal) {
  const auto has = to_string(refusal.available);
  // A critical call may go below zero, so its remaining room counts instead of the available
  // credits.
  const bool has_room = refusal.obstacle.room > std::max(refusal.available, credits{});
  const auto missing = refusal.required - (has_room ? refusal.obstacle.room : refusal.available);
  problem out{problem_code::insufficient_credits,
              needs(refusal) + " and " + has + " are available: " + to_string(missing) +
                  " credits short. Add credits to go on",
              {},
              {}};
  add(out, "required_credits", refusal.required);
  add(out, "available_credits", refusal.available);
  add(out, "short_credits", missing);
  end_with_ways_out(out, refusal);
  return out;
}

problem spend_cap_reached(const ledger_refusal& refusal) {
  const auto& room = refusal.obstacle.room;
  const auto missing = refusal.required - room;
  problem out{problem_code::spend_cap_reached,
              needs(refusal) + ", and the spend cap of this cycle leaves " + to_string(room) +
                  ": " + to_string(missing) + " credits short. Raise the cap to go on",
              {},
              {}};
  add(out, "cap", "spend_cap_usd");
  add(out, "required_credits", refusal.required);
  add(out, "available_credits", refusal.available);
  add(out, "room_credits", room);
  add(out, "short_credits", missing);
  end_with_ways_out(out, refusal);
  return out;
}

std::string in_window(quota::limit_window window) {
  return window == quota::limit_window::total ? "in all" : "per " + std::string{to_string(window)};
}

problem limit_reached(const ledger_refusal& refusal) {
  const auto& limit = refusal.obstacle;
  const auto missing = refusal.required - limit.room;
  const std::string scope{to_string(limit.scope)};
  problem out{problem_code::limit_reached,
              needs(refusal) + ", and the limit of " + scope + " " + shown(refusal.whose) + " (" +
                  to_string(limit.most) + " " + in_window(limit.per) + ") leaves " +
                  to_string(limit.room) + ": " + to_string(missing) +
                  " credits short. Raise the limit to go on",
              {},
              {}};
  add(out, "scope", scope);
  add(out, scope, refusal.whose);
  add(out, "per", to_string(limit.per));
  add(out, "limit_credits", limit.most);
  add(out, "required_credits", refusal.required);
  add(out, "room_credits", limit.room);
  add(out, "short_credits", missing);
  if (ends(refusal)) {
    out.message += ", or wait until " + utc(limit.until);
    add(out, "resets_at", utc(limit.until));
  }
  out.message += '.';
  return out;
}

problem rate_limited(const ledger_refusal& refusal) {
  const auto rate = refusal.rate.value_or(quota::rate_status{});
  const auto pause = std::chrono::ceil<std::chrono::seconds>(refusal.obstacle.until - refusal.now);
  const auto wait = std::max(pause, std::chrono::seconds{1});
  const auto seconds = std::to_string(wait.count());
  problem out{problem_code::rate_limited,
              "Too many requests: this organization may make " + std::to_string(rate.per_minute) +
                  " a minute, " + std::to_string(rate.burst) + " at once. Try again in " + seconds +
                  (wait.count() == 1 ? " second." : " seconds."),
              wait,
              {}};
  add(out, "limit_per_minute", rate.per_minute);
  add(out, "burst", rate.burst);
  add(out, "retry_after_seconds", wait.count());
  return out;
}

}  // namespace

problem to_problem(const ledger_refusal& refusal) {
  switch (refusal.why) {
    case quota::outcome::insufficient_balance:
      return insufficient_credits(refusal);
    case quota::outcome::cap_reached:
      return spend_cap_reached(refusal);
    case quota::outcome::limit_reached:
      return limit_reached(refusal);
    case quota::outcome::rate_limited:
      return rate_limited(refusal);
    case quota::outcome::suspended:
      return {problem_code::org_suspended,
              "This organization is suspended; ask its administrator.",
              {},
              {}};
    default:
      return {problem_code::internal_error,
              "The ledger refused the reservation: " + std::string{to_string(refusal.why)} + ".",
              {},
              {}};
  }
}

}  // namespace tollgate::routes
