#include "proxy/archive/postgres_archive.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <stdexcept>

#include <pqxx/pqxx>
#include <spdlog/spdlog.h>

#include "proxy/archive/agreement.hpp"
#include "proxy/archive/archive_tables.hpp"
#include "proxy/archive/sql_array.hpp"
#include "quota/ids.hpp"
#include "quota/ledger/entry_id.hpp"

namespace tollgate::proxy::archive {

namespace {

using quota::credits;
using quota::entry_type;

// Takes or extends the lease of the Tollgate that writes: a row, because a lock of the session
// would stay on a connection that PgBouncer has given to others. No row: another one holds it.
constexpr const char* take_lease = R"(
insert into tollgate_lease as l (holder, term, until) values ($1, 1, clock_timestamp() + interval '10 s')
on conflict (one) do update set holder = excluded.holder, until = excluded.until,
  term = l.term + (l.holder <> excluded.holder)::int
where l.holder = excluded.holder or l.until < clock_timestamp() returning term)";
constexpr std::chrono::seconds extend_lease_after{3};

constexpr const char* select_position =
    "select ms, number, hour, statement from tollgate_position where org = $1";

// With the columns of the last entry from which its seal is made.
constexpr const char* select_standing = R"(
select p.ms, p.number, p.hour, p.statement, l.type, l.subject, l.amount_micro, l.released_micro,
       l.overage_micro, l.available_micro, l.used, l.cycle
from tollgate_position p left join tollgate_ledger l using (org, ms, number) where org = $1)";

constexpr const char* insert_entries = R"(
insert into tollgate_ledger
select $1, e.ms, e.number, to_timestamp(e.ms / 1000.0), e.type, e.subject, e.amount, e.released,
       e.overage, e.available, e.used, e.cycle, e.request_id, e.route, e.action, e.model, e.agent,
       e.conversation, e.key, e.kind, e.note, e.billed_us
from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[],
            $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[],
            $21::bigint[])
  as e(ms, number, type, subject, amount, released, overage, available, used, cycle, request_id,
       route, action, model, agent, conversation, key, kind, note, billed_us)
on conflict do nothing)";

constexpr const char* insert_statement = R"(
insert into tollgate_statement
values ($1, $2, to_timestamp($3::bigint / 1000.0), to_timestamp($4::bigint / 1000.0), $5::jsonb)
on conflict (org, cycle) do update set statement = excluded.statement)";

constexpr const char* insert_usage = R"(
insert into tollgate_usage
select $1, to_timestamp(u.hour * 3600.0), $2::boolean, u.route, u.action, u.model, u.agent,
       u.conversation, u.key, u.credits, u.calls, u.used, u.billed_us
from unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
  as u(hour, route, action, model, agent, conversation, key, credits, calls, used, billed_us))";

constexpr const char* select_entries = R"(
select ms, number, type, subject, amount_micro, released_micro, overage_micro, available_micro,
       used, cycle, request_id, route, action, model, agent, conversation, key, kind, note, billed_us
from tollgate_ledger where org = $1 and (ms, number) > ($2, $3)
order by ms, number limit $4)";

constexpr const char* select_usage = R"(
select (extract(epoch from hour) / 3600)::bigint, route, action, model, agent, conversation, key,
       credits_micro, calls, used, billed_us
from tollgate_usage
where org = $1 and hour between to_timestamp($2::bigint * 3600.0) and to_timestamp($3::bigint * 3600.0))";

constexpr std::chrono::seconds longest_conversation{20};  // exceeds the timeout of any statement
static_assert(longest_conversation > postgres_archive::longest_statement);
constexpr std::chrono::seconds longest_upgrade{3600};  // an index of a large archive

std::int64_t signed_of(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

quota::entry_id known_id(const std::string& text) {
  const auto id = quota::parse_entry_id(text);
  if (!id) throw std::invalid_argument{text + " is not an entry id"};
  return *id;
}

std::string id_text(const pqxx::row& row) {
  return std::to_string(row[0].as<std::int64_t>()) + '-' +
         std::to_string(row[1].as<std::int64_t>());
}

position read_position(const pqxx::result& found) {
  if (found.empty()) return {};
  const auto row = found[0];
  return {id_text(row), row[2].as<std::int64_t>(), row[3].as<std::int64_t>(), {}};
}

std::string read_store(pqxx::work& work) {
  const auto found = work.exec("select id from tollgate_store");
  return found.empty() ? std::string{} : found[0][0].as<std::string>();
}

void add_entries(pqxx::work& work, const batch& batch) {
  if (batch.entries.empty()) return;
  sql_array ms, number, type, subject, amount, released, overage, available, used, cycle, request,
      route, action, model, agent, conversation, key, kind, note, billed_us;
  for (const auto& entry : batch.entries) {
    const auto id = known_id(entry.id);
    ms.add(signed_of(id.ms)), number.add(signed_of(id.sequence));
    type.add(quota::to_string(entry.type)), subject.add(entry.subject);
    amount.add(entry.amount.micro()), released.add(entry.released.micro());
    overage.add(entry.overage.micro()), available.add(entry.available.micro());
    used.add(entry.used), cycle.add(entry.cycle), request.add(entry.request_id);
    route.add(entry.who.route), action.add(entry.who.action), model.add(entry.who.model);
    agent.add(entry.who.agent), conversation.add(entry.who.conversation);
    key.add(entry.who.key_id), kind.add(entry.kind), note.add(entry.note);
    billed_us.add(entry.billed_us);
  }
  work.exec_params(insert_entries, batch.org, ms.text(), number.text(), type.text(), subject.text(),
                   amount.text(), released.text(), overage.text(), available.text(), used.text(),
                   cycle.text(), request.text(), route.text(), action.text(), model.text(),
                   agent.text(), conversation.text(), key.text(), kind.text(), note.text(),
                   billed_us.text());
}

using counter_list = std::span<const quota::usage_counter>;

void add_some_counters(pqxx::work& work, const quota::org_id& org, bool late,
                       counter_list counters) {
  sql_array hour, route, action, model, agent, conversation, key, charged, calls, used, billed_us;
  for (const auto& counter : counters) {
    hour.add(counter.hour), route.add(counter.who.route), action.add(counter.who.action);
    model.add(counter.who.model), agent.add(counter.who.agent);
    conversation.add(counter.who.conversation), key.add(counter.who.key_id);
    charged.add(counter.charged.micro()), calls.add(counter.calls), used.add(counter.used);
    billed_us.add(counter.billed_us);
  }
  work.exec_params(insert_usage, org, late, hour.text(), route.text(), action.text(), model.text(),
                   agent.text(), conversation.text(), key.text(), charged.text(), calls.text(),
                   used.text(), billed_us.text());
}

// A statement has a timeout, so an hour with many counters is added in several.
void add_counters(pqxx::work& work, const quota::org_id& org, bool late, counter_list counters,
                  const std::function<void()>& go_on) {
  constexpr std::size_t at_once = 10'000;
  for (; !counters.empty(); counters = counters.subspan(std::min(at_once, counters.size()))) {
    go_on();
    add_some_counters(work, org, late, counters.first(std::min(at_once, counters.size())));
  }
}

void add_usage(pqxx::work& work, const batch& batch, const std::function<void()>& go_on) {
  if (batch.from.hour == batch.to.hour) return;
  work.exec_params("delete from tollgate_usage where org = $1 and late", batch.org);
  add_counters(work, batch.org, false, batch.usage, go_on);
  add_counters(work, batch.org, true, batch.late, go_on);
}

void move_position(pqxx::work& work, const batch& batch) {
  const auto id = known_id(batch.to.entry);
  work.exec_params(
      "update tollgate_position set ms = $2, number = $3, hour = $4, statement = $5 where org = $1",
      batch.org, signed_of(id.ms), signed_of(id.sequence), batch.to.hour, batch.to.statement);
}

bool add_batch(pqxx::work& work, const batch& batch, const std::function<void()>& go_on) {
  go_on();
  work.exec_params("insert into tollgate_position values ($1, 0, 0, 0, 0) on conflict do nothing",
                   batch.org);
  const auto lock = std::string{select_position} + " for update";
  if (read_position(work.exec_params(lock, batch.org)) != batch.from) return false;
  add_entries(work, batch);
  for (const auto& one : batch.statements) {
    work.exec_params(insert_statement, batch.org, one.cycle, one.start.time_since_epoch().count(),
                     one.end.time_since_epoch().count(), one.json);
  }
  add_usage(work, batch, go_on);
  go_on();
  move_position(work, batch);
  return true;
}

entry_type type_of(const std::string& name) {
  for (auto i = 0; i <= static_cast<int>(entry_type::bill); ++i) {
    const auto type = static_cast<entry_type>(i);
    if (quota::to_string(type) == name) return type;
  }
  throw std::runtime_error{"an entry of an unknown type: " + name};
}

quota::ledger_entry entry_of(const pqxx::row& row) {
  const auto text = [&](int column) { return row[column].as<std::string>(); };
  const auto number = [&](int column) { return row[column].as<std::int64_t>(); };
  quota::ledger_entry entry;
  entry.id = id_text(row);
  entry.at = quota::time_point{quota::milliseconds{number(0)}};
  entry.type = type_of(text(2));
  entry.subject = text(3);
  entry.amount = credits::from_micro(number(4));
  entry.released = credits::from_micro(number(5));
  entry.overage = credits::from_micro(number(6));
  entry.available = credits::from_micro(number(7));
  entry.used = number(8);
  entry.cycle = number(9);
  entry.request_id = text(10);
  entry.who = {text(11), text(12), text(13), text(14), text(15), text(16)};
  entry.kind = text(17);
  entry.note = text(18);
  entry.billed_us = number(19);
  return entry;
}

position read_standing(const pqxx::result& found) {
  auto at = read_position(found);
  if (found.empty() || found[0][4].is_null()) return at;
  const auto row = found[0];
  const auto amount = [&](int column) {
    return credits::from_micro(row[column].as<std::int64_t>());
  };
  quota::ledger_entry last;
  last.type = type_of(row[4].as<std::string>());
  last.subject = row[5].as<std::string>();
  last.amount = amount(6);
  last.released = amount(7);
  last.overage = amount(8);
  last.available = amount(9);
  last.used = row[10].as<std::int64_t>();
  last.cycle = row[11].as<std::int64_t>();
  at.seal = seal_of(last);
  return at;
}

// The database refuses the content of the batch, and other batches can succeed: data, integrity,
// program limits, and a statement that takes too long.
bool is_about_the_batch(const std::string& state) {
  return state.starts_with("22") || state.starts_with("23") || state.starts_with("54") ||
         state == "57014";
}

quota::usage_counter counter_of(const pqxx::row& row) {
  const auto text = [&](int column) { return row[column].as<std::string>(); };
  quota::usage_counter counter;
  counter.hour = row[0].as<std::int64_t>();
  counter.who = {text(1), text(2), text(3), text(4), text(5), text(6)};
  counter.charged = credits::from_micro(row[7].as<std::int64_t>());
  counter.calls = row[8].as<std::int64_t>();
  counter.used = row[9].as<std::int64_t>();
  counter.billed_us = row[10].as<std::int64_t>();
  return counter;
}

// Adds timeouts for a dead peer: for connecting, for waiting for an answer, for silence. Values in
// the URL take precedence.
std::string with_patience(std::string url, std::chrono::seconds statement_limit) {
  const char* to_connect =
      statement_limit < std::chrono::seconds{5} ? "connect_timeout=2" : "connect_timeout=5";
  for (const std::string each :
       {to_connect, "keepalives_idle=5", "keepalives_interval=5", "keepalives_count=3",
        "tcp_user_timeout=10000", "application_name=tollgate"}) {
    const auto name = each.substr(0, each.find('=') + 1);
    if (url.find('?' + name) != url.npos || url.find('&' + name) != url.npos) continue;
    url += (url.find('?') == url.npos ? '?' : '&') + each;
  }
  return url;
}

// Of the transaction, not of the session, which may be another client's afterwards.
std::string limits_text(std::chrono::milliseconds statement_limit) {
  return "set local statement_timeout = " + std::to_string(statement_limit.count()) +
         "; set local lock_timeout = " + std::to_string(statement_limit.count() * 2 / 3);
}

}  // namespace

struct postgres_archive::connection {
  explicit connection(const std::string& url) : session{url} {}
  pqxx::connection session;
};

postgres_archive::postgres_archive(std::string url, access access,
                                   std::chrono::seconds statement_limit)
    : url_{with_patience(std::move(url), statement_limit)},
      access_{access},
      limits_{limits_text(statement_limit)},
      holder_{quota::random_id_source{}.next_hex128()} {}

postgres_archive::~postgres_archive() = default;

postgres_archive::connection& postgres_archive::connected() {
  if (!connection_) connection_ = std::make_unique<connection>(url_);
  return *connection_;
}

// A reader creates no tables: it may not have the right to.
void postgres_archive::prepare() {
  if (prepared_) return;
  if (access_ == access::write) {
    pqxx::work work{connection_->session};
    work.exec(limits_);
    if (!work.exec1(has_tables)[0].as<bool>()) {
      spdlog::info("archive: creating or upgrading its tables");
      be_patient(longest_upgrade);
      work.exec("set local statement_timeout = 0");
      work.exec(create_tables);
      work.exec(describe_tables);
    }
    work.commit();
  }
  prepared_ = true;
}

void postgres_archive::be_patient(std::chrono::seconds how_long) {
  guard_.arm(connection_->session.sock(), std::min(steady::now() + how_long, answer_by_));
}

// Everything is done in transactions of their own, so that it does not matter which session of
// PgBouncer they get. `run` commits what it wrote.
template <class Run>
auto postgres_archive::in_transaction(Run run) {
  try {
    auto& session = connected().session;
    be_patient(longest_conversation);
    prepare();
    be_patient(longest_conversation);
    auto result = [&] {
      pqxx::work work{session};
      work.exec(limits_);
      return run(work);
    }();  // the end of a transaction that wrote nothing waits for an answer, too
    guard_.disarm();
    return result;
  } catch (...) {
    guard_.disarm();
    connection_.reset();
    prepared_ = false;
    lease_.term = 0;
    throw;
  }
}

// The lease only avoids duplicate work; the position is what keeps the archive exact.
bool postgres_archive::lead() {
  const auto now = std::chrono::steady_clock::now();
  if (lease_.term != 0 && now < lease_.extend_at) return true;
  return in_transaction([&](pqxx::work& work) {
    const auto taken = work.exec_params(take_lease, holder_);
    work.commit();
    lease_.term = taken.empty() ? 0 : taken[0][0].as<std::int64_t>();
    lease_.extend_at = now + extend_lease_after;
    return lease_.term != 0;
  });
}

void postgres_archive::leave() {
  if (lease_.term != 0) {
    in_transaction([&](pqxx::work& work) {
      work.exec_params("update tollgate_lease set until = clock_timestamp() where holder = $1",
                       holder_);
      work.commit();
      return true;
    });
  }
  connection_.reset();
  prepared_ = false;
  lease_.term = 0;
}

std::string postgres_archive::store() {
  return in_transaction([&](pqxx::work& work) { return read_store(work); });
}

void postgres_archive::belong_to(const std::string& store) {
  in_transaction([&](pqxx::work& work) {
    work.exec_params("insert into tollgate_store values ($1) on conflict do nothing", store);
    work.commit();
    return true;
  });
}

position postgres_archive::position_of(const quota::org_id& org) {
  return in_transaction(
      [&](pqxx::work& work) { return read_standing(work.exec_params(select_standing, org)); });
}

std::pair<std::string, position> postgres_archive::store_and_position_of(const quota::org_id& org) {
  return in_transaction([&](pqxx::work& work) {
    auto store = read_store(work);
    return std::pair{std::move(store), read_standing(work.exec_params(select_standing, org))};
  });
}

bool postgres_archive::add(const std::vector<batch>& batches) {
  try {
    return add_all(batches);
  } catch (const pqxx::sql_error& error) {
    if (is_about_the_batch(error.sqlstate())) throw refused{error.what()};
    throw;
  } catch (const std::invalid_argument& error) {
    throw refused{error.what()};
  }
}

bool postgres_archive::add_all(const std::vector<batch>& batches) {
  return in_transaction([&](pqxx::work& work) {
    const auto leads = work.exec_params(
        "select from tollgate_lease where holder = $1 and term = $2", holder_, lease_.term);
    if (leads.empty()) {  // another one took over, because this one was too slow
      lease_.term = 0;
      return false;
    }
    for (const auto& batch : batches) {
      const auto go_on = [this] { be_patient(longest_conversation); };
      if (!add_batch(work, batch, go_on)) return false;  // nothing is committed
    }
    work.commit();
    return true;
  });
}

std::vector<quota::ledger_entry> postgres_archive::entries(const quota::org_id& org,
                                                           const std::string& after,
                                                           std::size_t limit) {
  const auto id = known_id(after);
  return in_transaction([&](pqxx::work& work) {
    const auto rows = work.exec_params(select_entries, org, signed_of(id.ms),
                                       signed_of(id.sequence), static_cast<std::int64_t>(limit));
    std::vector<quota::ledger_entry> found;
    found.reserve(rows.size());
    for (const auto& row : rows) found.push_back(entry_of(row));
    return found;
  });
}

std::vector<quota::usage_counter> postgres_archive::usage(const quota::org_id& org,
                                                          std::int64_t first, std::int64_t last) {
  return in_transaction([&](pqxx::work& work) {
    const auto rows = work.exec_params(select_usage, org, first, last);
    std::vector<quota::usage_counter> found;
    found.reserve(rows.size());
    for (const auto& row : rows) found.push_back(counter_of(row));
    return found;
  });
}

}  // namespace tollgate::proxy::archive
