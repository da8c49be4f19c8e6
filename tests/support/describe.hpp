// Formats values of the ledger as text, for comparisons in tests and for messages.
#pragma once

#include <string>
#include <type_traits>

#include "quota/ledger/account_ledger.hpp"

namespace tollgate::tests {

inline std::string describe(quota::credits amount) {
  return std::to_string(amount.micro());
}

inline std::string describe(quota::time_point at) {
  return std::to_string(at.time_since_epoch().count());
}

// All parts of a value, in order.
template <class... Parts>
std::string join(const Parts&... parts) {
  std::string text;
  const auto add = [&](const auto& part) {
    if (!text.empty()) text += ' ';
    if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(part)>>) {
      text += std::to_string(part);
    } else if constexpr (std::is_convertible_v<decltype(part), std::string_view>) {
      text += std::string_view{part};
    } else {
      text += describe(part);
    }
  };
  (add(parts), ...);
  return text;
}

inline std::string describe(const quota::rate_status& rate) {
  return join("rate", rate.per_minute, rate.burst, rate.remaining, rate.full_at);
}

inline std::string describe(const quota::obstacle& why) {
  return join("room", why.room, "until", why.until, to_string(why.scope), to_string(why.per),
              why.most, why.top_up_open);
}

inline std::string describe(const quota::use& what) {
  return join("for", what.amount, what.used, what.billed_us);
}

inline std::string describe(const quota::answer& answer) {
  return join(to_string(answer.result), answer.amount, "available", answer.available,
              answer.rate ? describe(*answer.rate) : "", answer.why ? describe(*answer.why) : "",
              answer.charged ? describe(*answer.charged) : "");
}

inline std::string describe(const quota::active_grant& grant) {
  return join(grant.id, grant.kind, grant.priority, grant.expires_at, grant.at, grant.amount,
              "left", grant.remaining);
}

inline std::string describe(const quota::account_grants& grants) {
  std::string text;
  for (const auto& grant : grants.active) text += "[" + describe(grant) + "] ";
  for (const auto& batch : grants.kept) {
    text += "kept until " + join(batch.until, "claims", batch.claims, batch.cycle);
    for (const auto& grant : batch.grants) text += " [" + describe(grant) + "]";
  }
  return text;
}

inline std::string describe(const quota::plan_terms& terms) {
  return join(terms.plan, terms.allocation, terms.rollover_percent, terms.rollover_cycles,
              terms.usd_micro_per_credit, terms.top_up_minimum_cents, terms.requests_per_minute,
              terms.burst);
}

inline std::string describe(const std::optional<quota::account_plan>& plan) {
  if (!plan) return "none";
  const auto& options = plan->options;
  auto text =
      join(describe(plan->terms), plan->next_terms ? "then " + describe(*plan->next_terms) : "",
           plan->anchor_day, plan->cycle, plan->start, plan->end, plan->peak, "overage",
           options.overage, options.spend_cap_cents.value_or(-1),
           options.critical_overdraft.value_or(quota::credits::from_micro(-1)),
           options.top_up_threshold.value_or(quota::credits::from_micro(-1)), options.top_up_cents,
           options.top_up_fill);
  for (std::size_t i = 0; i < options.limits.size(); ++i) {
    const auto& limit = options.limits[i];
    text += " limit " + join(to_string(limit.scope), limit.id, limit.most, to_string(limit.per),
                             i < plan->limits_since.size() ? describe(plan->limits_since[i]) : "?");
  }
  text += " times " + join(plan->usual_end, plan->began);
  text += " owed " + join(plan->owed, plan->told_exhausted, plan->told_cap);
  for (std::size_t i = 0; i < options.alerts.size(); ++i) {
    const auto& alert = options.alerts[i];
    const bool armed = i < plan->armed.size() && plan->armed[i];
    text += " alert " + join(static_cast<int>(alert.kind), alert.level, armed);
    if (!alert.scope) continue;
    text += " of " + join(to_string(*alert.scope), alert.id, "since",
                          i < plan->alerts_since.size() ? describe(plan->alerts_since[i]) : "?");
  }
  return text;
}

inline std::string describe(const quota::top_up_state& state) {
  return join(state.spent_cents, state.not_before, state.failures, state.count);
}

inline std::string describe(const quota::top_up_record& record) {
  return join(record.id, record.automatic, to_string(record.status), record.cents, record.amount,
              record.requested_at, record.next_at, record.attempts, record.resolved_at,
              record.cycle, record.generation, record.refunded_cents, record.disputed_cents);
}

inline std::string describe(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += text + ", ";
  return all;
}

inline std::string describe(const quota::cycle_record& books) {
  auto text =
      join(books.index, books.start, books.end, books.closed, "settled", books.settled,
           "allocation", books.allocation, "purchase", books.purchase, "top_up", books.top_up,
           "promotion", books.promotion, "correction", books.correction, "rolled", books.rolled_in,
           books.rolled_out, "forfeited", books.forfeited, "room", books.overage_room,
           books.rollover_room, books.rollover_ends, books.plan, books.usd_micro_per_credit);
  for (const auto& line : books.billed) {
    text += " billed " + join(line.amount, line.usd_micro_per_credit);
  }
  return text;
}

inline std::string describe(const quota::account_row& row) {
  return "granted " + describe(row.granted) + " settled " + describe(row.settled) + " held " +
         describe(row.held) + " expired " + describe(row.expired) +
         (row.suspended ? " suspended" : "");
}

inline std::string describe(const quota::attribution& who) {
  std::string text;
  for (const auto* member :
       {&who.route, &who.action, &who.model, &who.agent, &who.conversation, &who.key_id}) {
    text.append(text.empty() ? "" : "/").append(member->empty() ? "-" : *member);
  }
  return text;
}

inline std::string describe(const quota::ledger_entry& entry) {
  std::string text{to_string(entry.type)};
  text.append(" ").append(entry.subject).append(" amount ").append(describe(entry.amount));
  text.append(" released ").append(describe(entry.released));
  text.append(" overage ").append(describe(entry.overage));
  text.append(" available ").append(describe(entry.available));
  text.append(" used ").append(std::to_string(entry.used));
  if (entry.billed_us != 0) text.append(" billed ").append(std::to_string(entry.billed_us));
  text.append(" cycle ").append(std::to_string(entry.cycle));
  text.append(" request ").append(entry.request_id).append(" by ").append(describe(entry.who));
  return text.append(" kind ").append(entry.kind).append(" note ").append(entry.note);
}

struct operation_text {
  std::string operator()(const quota::reserve& what) const {
    return start("reserve", what.id) + amount(what.amount) + options(what.admit, what.timeout) +
           " request " + what.request_id + " by " + describe(what.who);
  }
  std::string operator()(const quota::extend& what) const {
    return start("extend", what.id) + amount(what.amount) + options(what.admit, what.timeout) +
           (what.needed ? " needed" + amount(*what.needed) : "") +
           (what.answered ? " answered " + describe(*what.answered) : "");
  }
  std::string operator()(const quota::release& what) const {
    return start("release", what.id) + amount(what.amount);
  }
  std::string operator()(const quota::settle& what) const {
    return start("settle", what.id) + amount(what.amount) + " used " + std::to_string(what.used) +
           (what.billed_us == 0 ? "" : " billed " + std::to_string(what.billed_us));
  }
  std::string operator()(const quota::void_hold& what) const { return start("void", what.id); }
  std::string operator()(const quota::expire_holds&) const { return "expire_holds"; }
  std::string operator()(const quota::grant& what) const {
    std::string text{"grant "};
    return text.append(what.id).append(amount(what.amount)).append(" ").append(what.kind);
  }
  std::string operator()(const quota::configure& what) const {
    return join("configure", what.at_once, what.anchor_day, describe(what.terms));
  }
  std::string operator()(const quota::request_top_up& what) const {
    return join("request_top_up", what.id, what.cents);
  }
  std::string operator()(const quota::lease_top_up& what) const {
    return join("lease_top_up", what.id, what.lease.count());
  }
  std::string operator()(const quota::resolve_top_up& what) const {
    return join("resolve_top_up", what.id, static_cast<int>(what.verdict), what.generation);
  }
  std::string operator()(const quota::take_back_top_up& what) const {
    return join("take_back_top_up", what.id, static_cast<int>(what.reason), what.cents);
  }

 private:
  static std::string start(std::string verb, const quota::hold_id& id) {
    return verb.append(" ").append(id.text());
  }
  static std::string amount(quota::credits amount) {
    return std::string{" "}.append(describe(amount));
  }
  static std::string options(quota::admission admit, quota::milliseconds timeout) {
    return std::string{" admission "}
        .append(std::to_string(static_cast<int>(admit)))
        .append(" timeout ")
        .append(std::to_string(timeout.count()));
  }
};

inline std::string describe(const quota::operation& operation) {
  return std::visit(operation_text{}, operation);
}

}  // namespace tollgate::tests
