#include "proxy/account/ledger_report.hpp"

#include "proxy/text/csv.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {

void write_attribution(json_writer& out, const quota::attribution& who) {
  out.key("route").string_or_null(who.route).key("action").string_or_null(who.action);
  out.key("model").string_or_null(who.model).key("agent").string_or_null(who.agent);
  out.key("conversation").string_or_null(who.conversation);
  out.key("key").string_or_null(who.key_id);
}

namespace {

// Only a settlement has usage.
measured measure_entry(const quota::ledger_entry& entry) {
  if (entry.type != quota::entry_type::settle) return {"0", "0", ""};
  auto found = measure(entry.used, entry.billed_us, std::nullopt);
  if (found.unit.empty()) found.used = found.billed = std::to_string(entry.used);
  return found;
}

void write_entry(json_writer& out, const quota::ledger_entry& entry) {
  const auto used = measure_entry(entry);
  out.begin_object();
  out.key("id").string(entry.id).key("at").string(to_rfc3339(entry.at));
  out.key("type").string(quota::to_string(entry.type)).key("subject").string(entry.subject);
  out.key("credits").number(entry.amount).key("released").number(entry.released);
  out.key("overage").number(entry.overage).key("available").number(entry.available);
  out.key("used").raw(used.used).key("billed").raw(used.billed.empty() ? "null" : used.billed);
  out.key("unit").string_or_null(used.unit).key("cycle").number(entry.cycle);
  out.key("request_id").string_or_null(entry.request_id);
  write_attribution(out, entry.who);
  out.key("kind").string_or_null(entry.kind).key("note").string_or_null(entry.note);
  out.end_object();
}

}  // namespace

std::string entry_json(const quota::ledger_entry& entry) {
  json_writer out;
  write_entry(out, entry);
  return out.take();
}

std::string entries_csv(const std::vector<quota::ledger_entry>& entries) {
  csv_writer out;
  for (const auto name :
       {"id",        "at",    "type",   "subject",      "credits", "released",   "overage",
        "available", "used",  "billed", "unit",         "cycle",   "request_id", "route",
        "action",    "model", "agent",  "conversation", "key",     "kind",       "note"}) {
    out.text(name);
  }
  out.end_row();
  for (const auto& entry : entries) {
    out.text(entry.id).text(to_rfc3339(entry.at)).text(quota::to_string(entry.type));
    out.text(entry.subject).number(entry.amount).number(entry.released).number(entry.overage);
    const auto used = measure_entry(entry);
    out.number(entry.available).text(used.used).text(used.billed).text(used.unit);
    out.number(entry.cycle).text(entry.request_id);
    out.text(entry.who.route).text(entry.who.action).text(entry.who.model).text(entry.who.agent);
    out.text(entry.who.conversation).text(entry.who.key_id).text(entry.kind).text(entry.note);
    out.end_row();
  }
  return out.take();
}

std::string entries_json(const std::vector<quota::ledger_entry>& entries, std::string_view after,
                         bool has_more) {
  json_writer out;
  out.begin_object().key("entries").begin_array();
  for (const auto& entry : entries) write_entry(out, entry);
  out.end_array();
  out.key("next_after").string(entries.empty() ? after : entries.back().id);
  out.key("has_more").boolean(has_more).end_object();
  return out.take();
}

}  // namespace tollgate::proxy::admin
