#include "proxy/cli/explain_report.hpp"

#include <algorithm>
#include <ostream>

#include "proxy/cli/rate_text.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy {
namespace {

using admin::json_writer;

std::string or_none(const std::string& text) {
  return text.empty() ? "none" : text;
}

class lines {
 public:
  explicit lines(std::ostream& out) : out_{out} {}
  void add(std::string_view name, std::string_view value) {
    out_ << "  " << name << std::string(14 - name.size(), ' ') << value << '\n';
  }

 private:
  std::ostream& out_;
};

void print_path(lines to, const explanation& what) {
  const auto sent = what.sent_target.substr(0, what.sent_target.find('?'));
  if (what.target && what.target->path != sent) to.add("read as", what.target->path);
}

void print_outcome(lines to, const explanation::forwarded& found, const std::string& file) {
  const auto& [call, upstream, rate, url] = found;
  const routes::route& route = *call.matched;
  const auto& [line, column] = route.settings.at;
  to.add("route", route.settings.name + "  (" + file + ":" + std::to_string(line) + ":" +
                      std::to_string(column) + ")");
  to.add("action", route.settings.action);
  to.add("model", or_none(call.model));
  to.add("rate", in_words(*rate));
  to.add("estimate", in_words(price(*rate, call.estimated)) +
                         (call.times > 1 ? " (" + std::to_string(call.times) + " times)" : ""));
  to.add("critical", route.settings.critical ? "yes: passes when the credits are used up"
                                             : "no: refused when the credits are used up");
  to.add("mode", route.settings.shadow ? "shadow: counted, never refused" : "enforce");
  to.add("upstream", upstream->name);
  to.add("forwarded to", url);
  to.add("agent", or_none(call.agent));
  to.add("conversation", or_none(call.conversation));
}

void print_outcome(lines to, const routes::problem& refused, const std::string&) {
  to.add("refused",
         std::to_string(status_of(refused.code)) + " " + std::string{to_string(refused.code)});
  to.add("message", refused.message);
}

void print_outcome(lines to, const explanation::answered_here&, const std::string&) {
  to.add("answered", "by Tollgate: the billing API is never forwarded or charged");
}

void print_not_matched(std::ostream& out, const std::vector<routes::mismatch>& not_matched) {
  if (not_matched.empty()) return;
  std::size_t widest = 0;
  for (const auto& [route, reason] : not_matched) widest = std::max(widest, route.size());
  out << "\nnot matched:\n";
  for (const auto& [route, reason] : not_matched) {
    out << "  " << route << std::string(widest - route.size() + 2, ' ') << reason << '\n';
  }
}

void write_rate(json_writer& to, const quota::rate& rate) {
  to.begin_object();
  to.key("name").string(rate.name);
  to.key("credits").number(rate.price);
  to.key("per").string(name_of(rate.per));
  if (!rate.times.empty()) {
    to.key("times").begin_array();
    for (const auto& each : rate.times) to.string(each);
    to.end_array();
  }
  to.end_object();
}

void write_outcome(json_writer& to, const explanation::forwarded& found) {
  const auto& [call, upstream, rate, url] = found;
  const routes::route& route = *call.matched;
  to.key("forwarded").boolean(true);
  to.key("route").string(route.settings.name);
  to.key("action").string(route.settings.action);
  to.key("model").string_or_null(call.model);
  write_rate(to.key("rate"), *rate);
  if (!rate->times.empty()) to.key("times").number(call.times);
  to.key("units").number(call.estimated.amount);
  to.key("estimate").number(price(*rate, call.estimated));
  to.key("critical").boolean(route.settings.critical);
  to.key("mode").string(route.settings.shadow ? "shadow" : "enforce");
  to.key("upstream").string(upstream->name);
  to.key("url").string(url);
  to.key("agent").string_or_null(call.agent);
  to.key("conversation").string_or_null(call.conversation);
}

void write_outcome(json_writer& to, const routes::problem& refused) {
  to.key("forwarded").boolean(false);
  to.key("status").number(status_of(refused.code));
  to.key("error").begin_object();
  to.key("code").string(to_string(refused.code));
  to.key("message").string(refused.message);
  to.end_object();
}

void write_outcome(json_writer& to, const explanation::answered_here&) {
  to.key("forwarded").boolean(false);
  to.key("answered_by").string("billing");
}

}  // namespace

void print_text(std::ostream& out, const explanation& what, const std::string& file) {
  out << what.method << ' ' << what.sent_target << '\n';
  print_path(lines{out}, what);
  std::visit([&](const auto& outcome) { print_outcome(lines{out}, outcome, file); }, what.outcome);
  print_not_matched(out, what.not_matched);
  for (const std::string& note : what.notes) out << "\nnote: " << note << '\n';
}

void print_json(std::ostream& out, const explanation& what) {
  json_writer to;
  to.begin_object();
  to.key("method").string(what.method);
  to.key("target").string(what.sent_target);
  to.key("path").string_or_null(what.target ? what.target->path : "");
  to.key("host").string_or_null(what.target ? what.target->host : "");
  std::visit([&](const auto& outcome) { write_outcome(to, outcome); }, what.outcome);
  to.key("not_matched").begin_array();
  for (const auto& [route, reason] : what.not_matched) {
    to.begin_object().key("route").string(route).key("reason").string(reason).end_object();
  }
  to.end_array();
  to.key("notes").begin_array();
  for (const std::string& note : what.notes) to.string(note);
  to.end_array().end_object();
  out << to.take() << '\n';
}

}  // namespace tollgate::proxy
