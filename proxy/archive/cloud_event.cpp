#include "proxy/archive/cloud_event.hpp"

#include "proxy/account/ledger_report.hpp"
#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::archive {

namespace {

struct event {
  std::string_view id, type, subject;
  quota::time_point at;
};

std::string envelope(const quota::org_id& org, const event& event, std::string_view data) {
  admin::json_writer out;
  out.begin_object().key("specversion").string("1.0").key("id").string(event.id);
  out.key("source").string("tollgate/orgs/" + org).key("type").string(event.type);
  out.key("subject").string(event.subject).key("time").string(admin::to_rfc3339(event.at));
  out.key("datacontenttype").string("application/json").key("data").raw(data).end_object();
  return out.take() + '\n';
}

}  // namespace

std::string cloud_event(const quota::org_id& org, const quota::ledger_entry& entry) {
  const auto type = "tollgate.ledger." + std::string{quota::to_string(entry.type)};
  return envelope(org, {entry.id, type, entry.subject, entry.at}, admin::entry_json(entry));
}

std::string cloud_event(const quota::org_id& org, const final_statement& statement) {
  const auto cycle = std::to_string(statement.cycle);
  const auto id = "statement-" + cycle;
  return envelope(org, {id, "tollgate.statement", cycle, statement.end}, statement.json);
}

}  // namespace tollgate::proxy::archive
