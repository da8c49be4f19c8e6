// Values of the ledger as text: what tests compare, and print when they differ.
#pragma once

#include <string>

#include "quota/ledger/account_ledger.hpp"

namespace tollgate::tests {

inline std::string describe(quota::credits amount) {
  return std::to_string(amount.micro());
}

inline std::string describe(const quota::answer& answer) {
  return std::string{to_string(answer.result)} + " " + describe(answer.amount) + " available " +
         describe(answer.available);
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
  text.append(" request ").append(entry.request_id).append(" by ").append(describe(entry.who));
  return text.append(" kind ").append(entry.kind).append(" note ").append(entry.note);
}

struct operation_text {
  std::string operator()(const quota::reserve& what) const {
    return start("reserve", what.id) + amount(what.amount) + options(what.admit, what.timeout) +
           " request " + what.request_id + " by " + describe(what.who);
  }
  std::string operator()(const quota::extend& what) const {
    return start("extend", what.id) + amount(what.amount) + options(what.admit, what.timeout);
  }
  std::string operator()(const quota::settle& what) const {
    return start("settle", what.id) + amount(what.amount) + " used " + std::to_string(what.used);
  }
  std::string operator()(const quota::void_hold& what) const { return start("void", what.id); }
  std::string operator()(const quota::expire_holds&) const { return "expire_holds"; }
  std::string operator()(const quota::grant& what) const {
    std::string text{"grant "};
    return text.append(what.id).append(amount(what.amount)).append(" ").append(what.kind);
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
