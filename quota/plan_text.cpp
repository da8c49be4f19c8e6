#include "quota/plan_text.hpp"

#include <charconv>
#include <initializer_list>

namespace tollgate::quota {

namespace {

constexpr std::int64_t not_set = -1;

std::string joined(std::initializer_list<std::int64_t> numbers) {
  std::string text;
  for (const auto number : numbers) {
    if (!text.empty()) text += ' ';
    text += std::to_string(number);
  }
  return text;
}

// Reads numbers from the front of a text, each followed by a blank; `last` takes the rest.
class number_reader {
 public:
  explicit number_reader(std::string_view text) : rest_{text} {}

  std::int64_t next(std::int64_t least = 0) {
    const auto end = rest_.find(' ');
    if (end == std::string_view::npos) good_ = false;
    return read(end, least);
  }
  std::int64_t last(std::int64_t least = 0) { return read(std::string_view::npos, least); }
  std::string_view rest() const { return rest_; }
  bool good() const { return good_; }

 private:
  std::int64_t read(std::size_t end, std::int64_t least) {
    const auto part = rest_.substr(0, end);
    std::int64_t number = 0;
    const auto [stop, failed] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (failed != std::errc{} || stop != part.data() + part.size() || number < least) good_ = false;
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return number;
  }

  std::string_view rest_;
  bool good_ = true;
};

std::optional<spend_limit> parse_limit(std::string_view line) {
  number_reader numbers{line};
  const auto scope = numbers.next(), per = numbers.next(), most = numbers.next();
  if (!numbers.good() || scope > static_cast<int>(limit_scope::key) ||
      per > static_cast<int>(limit_window::total) || numbers.rest().empty()) {
    return std::nullopt;
  }
  return spend_limit{static_cast<limit_scope>(scope), std::string{numbers.rest()},
                     credits::from_micro(most), static_cast<limit_window>(per)};
}

std::optional<usage_alert> parse_alert(std::string_view line) {
  number_reader numbers{line};
  const auto kind = numbers.next();
  const bool whole = numbers.rest().find(' ') == std::string_view::npos;
  const auto level = whole ? numbers.last() : numbers.next();
  if (!numbers.good() || kind > static_cast<int>(alert_kind::credits_used)) return std::nullopt;
  usage_alert alert{static_cast<alert_kind>(kind), level};
  if (whole) return alert;
  const auto scope = numbers.next();
  if (!numbers.good() || scope > static_cast<int>(limit_scope::key) || numbers.rest().empty()) {
    return std::nullopt;
  }
  alert.scope = static_cast<limit_scope>(scope);
  alert.id = numbers.rest();
  return alert;
}

std::optional<std::vector<usage_alert>> parse_alerts(std::string_view text) {
  std::vector<usage_alert> alerts;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto alert = parse_alert(text.substr(0, end));
    if (!alert) return std::nullopt;
    alerts.push_back(*std::move(alert));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return alerts;
}

std::optional<std::vector<spend_limit>> parse_limits(std::string_view text) {
  std::vector<spend_limit> limits;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto limit = parse_limit(text.substr(0, end));
    if (!limit) return std::nullopt;
    limits.push_back(*std::move(limit));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return limits;
}

}  // namespace

std::string to_text(const plan_terms& terms) {
  return joined({terms.allocation.micro(), terms.rollover_percent, terms.rollover_cycles,
                 terms.usd_micro_per_credit, terms.top_up_minimum_cents, terms.requests_per_minute,
                 terms.burst}) +
         " " + terms.plan;
}

std::string to_text(const account_options& options) {
  const auto micro = [](const std::optional<credits>& amount) {
    return amount ? amount->micro() : not_set;
  };
  return joined({options.overage ? 1 : 0, options.spend_cap_cents.value_or(not_set),
                 micro(options.critical_overdraft), micro(options.top_up_threshold),
                 options.top_up_cents}) +
         (options.top_up_fill ? " 1" : "");
}

std::string limits_text(const std::vector<spend_limit>& limits) {
  std::string text;
  for (const auto& limit : limits) {
    if (!text.empty()) text += '\n';
    text +=
        joined({static_cast<int>(limit.scope), static_cast<int>(limit.per), limit.most.micro()}) +
        " " + limit.id;
  }
  return text;
}

std::string alerts_text(const std::vector<usage_alert>& alerts) {
  std::string text;
  for (const auto& alert : alerts) {
    if (!text.empty()) text += '\n';
    text += joined({static_cast<int>(alert.kind), alert.level});
    if (!alert.scope) continue;
    text += ' ';
    text += std::to_string(static_cast<int>(*alert.scope));
    text.append(" ").append(alert.id);
  }
  return text;
}

std::optional<plan_terms> parse_plan_terms(std::string_view text) {
  number_reader numbers{text};
  plan_terms terms;
  terms.allocation = credits::from_micro(numbers.next());
  terms.rollover_percent = static_cast<int>(numbers.next());
  terms.rollover_cycles = static_cast<int>(numbers.next());
  terms.usd_micro_per_credit = numbers.next();
  terms.top_up_minimum_cents = numbers.next();
  terms.requests_per_minute = numbers.next();
  terms.burst = numbers.next();
  if (!numbers.good()) return std::nullopt;
  terms.plan = numbers.rest();
  return terms;
}

std::optional<account_options> parse_account_options(std::string_view text, std::string_view limits,
                                                     std::string_view alerts) {
  number_reader numbers{text};
  account_options options;
  const auto amount = [](std::int64_t micro) {
    return micro == not_set ? std::nullopt : std::optional{credits::from_micro(micro)};
  };
  const auto overage = numbers.next();
  const auto cap = numbers.next(not_set);
  options.overage = overage == 1;
  if (cap != not_set) options.spend_cap_cents = cap;
  options.critical_overdraft = amount(numbers.next(not_set));
  options.top_up_threshold = amount(numbers.next(not_set));
  const bool fill_said = numbers.rest().find(' ') != std::string_view::npos;
  options.top_up_cents = fill_said ? numbers.next() : numbers.last();
  options.top_up_fill = fill_said && numbers.last() == 1;
  auto each = parse_limits(limits);
  auto told = parse_alerts(alerts);
  if (!numbers.good() || overage > 1 || fill_said != options.top_up_fill || !each || !told) {
    return std::nullopt;
  }
  options.limits = *std::move(each);
  options.alerts = *std::move(told);
  return options;
}

}  // namespace tollgate::quota
