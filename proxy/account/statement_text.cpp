// A statement as a text table with a visible sum.
#include <algorithm>

#include "proxy/account/statement_lines.hpp"
#include "proxy/account/statement_report.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {

namespace {

struct text_line {
  std::string label, calls;
  quota::credits amount;
};

// Aligns decimal points.
std::size_t digits_before_point(const std::string& number) {
  return std::min(number.find('.'), number.size());
}

class text_table {
 public:
  void add(std::string label, quota::credits amount, std::string calls = {}) {
    lines_.push_back({std::move(label), std::move(calls), amount});
  }

  std::string take() const {
    std::size_t label = 0, calls = 0, whole = 0;
    for (const auto& line : lines_) {
      label = std::max(label, line.label.size());
      calls = std::max(calls, line.calls.size());
      whole = std::max(whole, digits_before_point(to_string(line.amount)));
    }
    std::string out;
    for (const auto& line : lines_) {
      const auto number = to_string(line.amount);
      out += line.label + std::string(label - line.label.size() + 2, ' ');
      out += std::string(calls - line.calls.size(), ' ') + line.calls;
      out += std::string(whole - digits_before_point(number) + 2, ' ') + number + '\n';
    }
    return out;
  }

 private:
  std::vector<text_line> lines_;
};

std::string calls_text(std::int64_t calls) {
  return std::to_string(calls) + (calls == 1 ? " call" : " calls");
}

// Removes characters that a terminal could interpret.
std::string printable(std::string text) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  std::replace_if(text.begin(), text.end(), control, '?');
  return text;
}

std::string date(quota::time_point time) {
  return to_rfc3339_seconds(time).substr(0, 10);
}

}  // namespace

// The cost of the month in addition to the plan's own price, which Tollgate does not know.
std::string statement_report::money_text() const {
  std::string out;
  if (statement_.overage != quota::credits{}) {
    out += "\nOverage " + std::string{statement_.record.closed ? "billed" : "so far"} + ": " +
           to_string(statement_.overage) + " credits, $" + dollars_text(statement_.overage_cents);
  }
  if (statement_.packs_cents != 0) {
    out += "\nPacks paid: $" + dollars_text(statement_.packs_cents);
  }
  if (statement_.automatic_cents != 0) {
    out += "\nAutomatic top-ups paid: $" + dollars_text(statement_.automatic_cents);
  }
  return out.empty() ? out : out + "\n";
}

std::string statement_report::to_text() const {
  const auto& cycle = statement_.record;
  const quota::credits nothing;
  text_table table;
  for (const auto& line : lines_before_usage(statement_)) {
    const bool always = line.name == "opening" || line.name == "allocation";
    if (always || line.amount != nothing) table.add(std::string{line.label}, line.amount);
  }
  for (const auto& [key, line] : usage_) {
    const auto what = key.model.empty() ? key.action : key.action + ", " + key.model;
    table.add(printable("Usage: " + what), -line.charged, calls_text(line.calls));
  }
  if (other_usage() != nothing) {
    table.add("Usage: other", -other_usage());
  }
  for (const auto& line : lines_after_usage(statement_)) {
    if (line.amount != nothing) table.add(std::string{line.label}, line.amount);
  }
  table.add("Closing balance", statement_.closing);

  std::string out = "Statement of " + org_ + " for " + month_text(cycle.start) + ": from " +
                    date(cycle.start) + " to " + date(cycle.end) + " (not included), " +
                    (cycle.plan.empty() ? "without a plan" : "plan " + cycle.plan) +
                    ". In credits.\n\n" + table.take();
  out += money_text();
  if (!cycle.closed) {
    out += "\nThe cycle is open: these are its figures so far.\n";
  } else if (!final_) {
    out += "\nNot final: calls that began in this cycle are still open.\n";
  }
  return out;
}

}  // namespace tollgate::proxy::admin
