// Plan, grants, cycles and top-ups of an account, as the modules of ledger/scripts write them.
#include <algorithm>
#include <array>

#include <hiredis/hiredis.h>

#include "quota/ledger/entry_id.hpp"
#include "quota/plan_text.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/stored_time.hpp"

namespace tollgate::quota::redis {

namespace {

// The next N integers of `rest`, each followed by a blank.
template <std::size_t N>
std::optional<std::array<std::int64_t, N>> take_integers(std::string_view& rest) {
  std::array<std::int64_t, N> numbers{};
  for (auto& number : numbers) {
    const auto read = parse_integer(take_until(rest, ' '));
    if (!read) return std::nullopt;
    number = *read;
  }
  return numbers;
}

// "PRIORITY EXPIRES AT AMOUNT REMAINING KIND ID"
std::optional<active_grant> parse_active(std::string_view line) {
  const auto numbers = take_integers<5>(line);
  if (!numbers) return std::nullopt;
  active_grant grant;
  grant.priority = static_cast<int>((*numbers)[0]);
  grant.expires_at = at_ms((*numbers)[1]);
  grant.at = at_ms((*numbers)[2]);
  grant.amount = credits::from_micro((*numbers)[3]);
  grant.remaining = credits::from_micro((*numbers)[4]);
  grant.kind = take_until(line, ' ');
  grant.id = line;
  return grant;
}

// Lines "= UNTIL CLAIMS CYCLE", each followed by the grants of its batch.
std::optional<std::vector<kept_batch>> parse_kept(std::string_view packed) {
  std::vector<kept_batch> batches;
  while (!packed.empty()) {
    auto line = take_until(packed, '\n');
    if (line.starts_with("= ")) {
      line.remove_prefix(2);
      const auto numbers = take_integers<3>(line);
      if (!numbers) return std::nullopt;
      batches.push_back(
          {at_ms((*numbers)[0]), credits::from_micro((*numbers)[1]), (*numbers)[2], {}});
      continue;
    }
    auto grant = parse_active(line);
    if (!grant || batches.empty()) return std::nullopt;
    batches.back().grants.push_back(*std::move(grant));
  }
  return batches;
}

// "AMOUNT@PRICE,AMOUNT@PRICE"
std::optional<std::vector<billed_overage>> parse_billed(std::string_view packed) {
  std::vector<billed_overage> lines;
  while (!packed.empty()) {
    auto line = take_until(packed, ',');
    const auto amount = parse_integer(take_until(line, '@'));
    const auto price = parse_integer(line);
    if (!amount || !price) return std::nullopt;
    lines.push_back({credits::from_micro(*amount), *price});
  }
  return lines;
}

// Lines "SINCE SCOPE PER MOST ID": the times, and the limits without them.
std::optional<std::pair<std::vector<time_point>, std::string>> split_limits(
    std::string_view packed) {
  std::vector<time_point> since;
  std::string limits;
  while (!packed.empty()) {
    auto line = take_until(packed, '\n');
    const auto at = parse_integer(take_until(line, ' '));
    if (!at) return std::nullopt;
    since.push_back(at_ms(*at));
    if (!limits.empty()) limits += '\n';
    limits += line;
  }
  return std::pair{std::move(since), std::move(limits)};
}

struct kept_alerts {
  std::vector<bool> armed;
  std::vector<time_point> since;
  std::string alerts;
};

// Lines "ARMED KIND LEVEL" and "SINCE KIND LEVEL SCOPE ID": the alerts, and the fields in front of
// them.
std::optional<kept_alerts> split_alerts(std::string_view packed) {
  kept_alerts kept;
  while (!packed.empty()) {
    auto line = take_until(packed, '\n');
    const auto first = parse_integer(take_until(line, ' '));
    if (!first) return std::nullopt;
    const bool scoped = std::count(line.begin(), line.end(), ' ') > 1;
    kept.armed.push_back(scoped || *first == 1);
    kept.since.push_back(scoped ? at_ms(*first) : time_point{});
    if (!kept.alerts.empty()) kept.alerts += '\n';
    kept.alerts += line;
  }
  return kept;
}

}  // namespace

std::optional<account_grants> parse_grants(const redisReply& flat) {
  account_grants grants;
  auto active = field_of(flat, "active");
  while (!active.empty()) {
    auto grant = parse_active(take_until(active, '\n'));
    if (!grant) return std::nullopt;
    grants.active.push_back(*std::move(grant));
  }
  auto kept = parse_kept(field_of(flat, "kept"));
  if (!kept) return std::nullopt;
  grants.kept = *std::move(kept);
  const auto mark = field_of(flat, "mark");
  const auto micro = mark.empty() ? 0 : parse_integer(mark);
  const auto carried = parse_carried(field_of(flat, "carried"));
  if (!micro || !carried) return std::nullopt;
  grants.mark = credits::from_micro(*micro) + carried->settled;
  return grants;
}

std::optional<std::optional<account_plan>> parse_plan(const redisReply& flat) {
  auto packed = field_of(flat, "plan");
  if (packed.empty()) return std::optional<account_plan>{};
  // "ANCHOR CYCLE START END PEAK OWED TOLD USUAL_END BEGAN"; earlier releases wrote seven.
  const auto numbers = take_integers<7>(packed);
  const bool seven = packed.empty();
  const auto times = seven ? std::array<std::int64_t, 2>{} : take_integers<2>(packed);
  auto terms = parse_plan_terms(field_of(flat, "terms"));
  const auto next = field_of(flat, "next_terms");
  const auto limits = split_limits(field_of(flat, "limits"));
  auto alerts = split_alerts(field_of(flat, "alerts"));
  if (!numbers || !times || !terms || !limits || !alerts) return std::nullopt;
  auto options = parse_account_options(field_of(flat, "options"), limits->second, alerts->alerts);
  if (!options) return std::nullopt;
  account_plan plan;
  plan.anchor_day = static_cast<int>((*numbers)[0]);
  plan.cycle = (*numbers)[1];
  plan.start = at_ms((*numbers)[2]);
  plan.end = at_ms((*numbers)[3]);
  plan.usual_end = seven ? plan.end : at_ms((*times)[0]);
  plan.began = at_ms((*times)[1]);
  plan.peak = credits::from_micro((*numbers)[4]);
  plan.owed = credits::from_micro((*numbers)[5]);
  plan.told_exhausted = ((*numbers)[6] & 1) != 0;
  plan.told_cap = ((*numbers)[6] & 2) != 0;
  plan.armed = std::move(alerts->armed);
  plan.alerts_since = std::move(alerts->since);
  plan.terms = *std::move(terms);
  if (!next.empty()) {
    plan.next_terms = parse_plan_terms(next);
    if (!plan.next_terms) return std::nullopt;
  }
  plan.options = *std::move(options);
  plan.limits_since = limits->first;
  return std::optional{std::move(plan)};
}

// "SPENT NOT_BEFORE FAILURES COUNT"
std::optional<top_up_state> parse_top_up_state(std::string_view packed) {
  if (packed.empty()) return top_up_state{};
  const auto numbers = take_integers<4>(packed);
  if (!numbers) return std::nullopt;
  return top_up_state{(*numbers)[0], at_ms((*numbers)[1]), (*numbers)[2], (*numbers)[3]};
}

std::vector<std::string> parse_open_top_ups(std::string_view packed) {
  std::vector<std::string> ids;
  while (!packed.empty()) ids.emplace_back(take_until(packed, '\n'));
  return ids;
}

// "START END CLOSED SETTLED ALLOCATION PURCHASE TOP_UP PROMOTION CORRECTION ROLLED_IN ROLLED_OUT
// FORFEITED OVERAGE_ROOM ROLLOVER_ROOM ROLLOVER_ENDS PRICE BILLED\tPLAN"
std::optional<cycle_record> parse_cycle(std::string_view index, std::string_view packed) {
  const auto number = parse_integer(index);
  const auto numbers = take_integers<16>(packed);
  if (!number || !numbers) return std::nullopt;
  auto billed = parse_billed(take_until(packed, '\t'));
  if (!billed) return std::nullopt;
  std::size_t next = 0;
  const auto take = [&] { return (*numbers)[next++]; };
  cycle_record books;
  books.index = *number;
  books.start = at_ms(take());
  books.end = at_ms(take());
  books.closed = take() != 0;
  for (auto* amount : {&books.settled, &books.allocation, &books.purchase, &books.top_up,
                       &books.promotion, &books.correction, &books.rolled_in, &books.rolled_out,
                       &books.forfeited, &books.overage_room, &books.rollover_room}) {
    *amount = credits::from_micro(take());
  }
  books.rollover_ends = at_ms(take());
  books.usd_micro_per_credit = take();
  books.billed = *std::move(billed);
  books.plan = packed;
  return books;
}

std::optional<account_event> parse_event(const redisReply& element) {
  const auto parts = elements_of(element);
  if (parts.size() != 2) return std::nullopt;
  const auto id = parse_entry_id(text_of(*parts[0]));
  const auto texts = elements_of(*parts[1]);
  if (!id || texts.size() != 2) return std::nullopt;
  return account_event{std::string{text_of(*parts[0])}, at_ms(static_cast<std::int64_t>(id->ms)),
                       std::string{text_of(*texts[0])}, std::string{text_of(*texts[1])}};
}

// "a|m STATUS CENTS AMOUNT REQUESTED NEXT ATTEMPTS RESOLVED CYCLE", followed by " GENERATION
// REFUNDED DISPUTED" if one of these is not 0.
std::optional<top_up_record> parse_top_up(std::string_view id, std::string_view packed) {
  const auto kind = take_until(packed, ' ');
  const auto numbers = take_integers<8>(packed);
  if (!numbers || (kind != "a" && kind != "m")) return std::nullopt;
  const auto status = (*numbers)[0];
  if (status < 0 || status > 4) return std::nullopt;
  top_up_record record;
  record.id = id;
  record.automatic = kind == "a";
  record.status = static_cast<top_up_status>(status);
  record.cents = (*numbers)[1];
  record.amount = credits::from_micro((*numbers)[2]);
  record.requested_at = at_ms((*numbers)[3]);
  record.next_at = at_ms((*numbers)[4]);
  record.attempts = (*numbers)[5];
  record.resolved_at = at_ms((*numbers)[6]);
  record.cycle = (*numbers)[7];
  if (packed.empty()) return record;
  const auto more = take_integers<3>(packed);
  if (!more) return std::nullopt;
  record.generation = (*more)[0];
  record.refunded_cents = (*more)[1];
  record.disputed_cents = (*more)[2];
  return record;
}

}  // namespace tollgate::quota::redis
