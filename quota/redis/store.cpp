#include "quota/redis/store.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <boost/asio/any_completion_handler.hpp>
#include <hiredis/hiredis.h>

#include "quota/ledger/entry_id.hpp"
#include "quota/redis/account_changes.hpp"
#include "quota/redis/account_commands.hpp"
#include "quota/redis/batch_scheduler.hpp"
#include "quota/redis/gate_row.hpp"
#include "quota/redis/hash_pieces.hpp"
#include "quota/redis/ledger_library.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/retention.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store_schema.hpp"

namespace tollgate::quota::redis {

namespace {

template <class T>
result<T> checked(std::optional<T> value) {
  if (!value) return make_error_code(store_errc::protocol);
  return *std::move(value);
}

}  // namespace

std::unique_ptr<connection> make_store_connection(asio::io_context& context, const address& where,
                                                  connection_options options, store_access access) {
  const auto greet = [access](connection& connection) -> task<result<void>> {
    const auto known = co_await check_store_schema(connection, access);
    if (!known || access == store_access::read_only) co_return known;
    co_return co_await load_ledger_library(connection);
  };
  if (access == store_access::read_only) {
    options.wants_master = false;
  } else {
    options.check_command = ledger_check_command();
  }
  return std::make_unique<connection>(context, where, std::move(options), greet);
}

redis_store::redis_store(connection& connection)
    : connection_{connection}, batch_scheduler_{std::make_shared<batch_scheduler>(connection)} {
  connection_.on_before_write([this] { batch_scheduler_->leave(); });
}

void redis_store::use_rules(milliseconds pack_idle_totals, const critical_terms& critical) {
  const std::int64_t hours = pack_idle_totals / std::chrono::hours{1};
  const bool packs = pack_idle_totals.count() > 0;
  batch_scheduler_->rules =
      rules_text(packs ? std::max<std::int64_t>(hours, 1) : default_pack_after_hours, critical);
}

void redis_store::look_after(milliseconds time) {
  batch_scheduler_->look_after = time;
}

redis_store::~redis_store() {
  connection_.on_before_write(nullptr);
  batch_scheduler_->close();
}

task<result<answer>> redis_store::apply(const org_id& org, const operation& operation) {
  if (!ready()) co_return make_error_code(store_errc::not_applied);
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>,
                                          void(result<answer>)>(
      [&](auto handler) {
        batch_scheduler_->add(org, operation, std::move(handler),
                              batch_scheduler::departure::at_once);
      },
      use_task);
}

void redis_store::submit(const org_id& org, const operation& operation, then then) {
  if (!ready()) return std::move(then)(make_error_code(store_errc::not_applied));
  using departure = batch_scheduler::departure;
  const bool ends =
      std::holds_alternative<settle>(operation) || std::holds_alternative<void_hold>(operation);
  batch_scheduler_->add(org, operation, std::move(then),
                        ends ? departure::soon : departure::at_once);
}

task<result<account_snapshot>> redis_store::snapshot(const org_id& org) {
  co_return co_await take_snapshot(org, snapshot_script());
}

task<result<account_snapshot>> redis_store::snapshot_without_holds(const org_id& org) {
  co_return co_await take_snapshot(org, snapshot_without_holds_script());
}

task<result<account_snapshot>> redis_store::take_snapshot(const org_id& org,
                                                          std::string_view script) {
  std::vector<std::string> command{"EVAL",
                                   std::string{script},
                                   "4",
                                   key_of(org, "account"),
                                   key_of(org, "holds"),
                                   key_of(org, "ledger"),
                                   key_of(org, "cycles")};
  const auto reply = co_await read_account(connection_, org, std::move(command));
  if (!reply) co_return reply.error();
  co_return checked(parse_snapshot(**reply));
}

task<result<std::vector<ledger_entry>>> redis_store::entries(const org_id& org, std::string after,
                                                             std::size_t limit) {
  const auto first = parse_entry_id(after);
  auto from = element_of(after);
  if (!first || !from) co_return make_error_code(store_errc::protocol);
  // Elements contain one or more entries, so a page is read in steps; the first element may contain
  // entries before the page.
  constexpr std::size_t elements_a_step = 64;
  std::vector<ledger_entry> found;
  for (bool more = true; more && found.size() < limit;) {
    std::vector<std::string> command{"XRANGE", key_of(org, "ledger"),          *from, "+",
                                     "COUNT",  std::to_string(elements_a_step)};
    const auto reply = co_await read_account(connection_, org, std::move(command));
    if (!reply) co_return reply.error();
    const auto elements = elements_of(**reply);
    more = elements.size() == elements_a_step;
    for (const auto* element : elements) {
      auto entries = parse_entries(*element);
      if (!entries) co_return make_error_code(store_errc::protocol);
      for (auto& entry : *entries) {
        const bool wanted = found.size() < limit && parse_entry_id(entry.id) > first;
        if (wanted) found.push_back(std::move(entry));
      }
      *from = std::string{"("}.append(text_of(*element->element[0]));
    }
  }
  // Read afterwards: entries are recorded as dropped before they are dropped.
  redis_retention retention{connection_};
  const auto kept = co_await retention.what_is_retained(org);
  if (!kept) co_return kept.error();
  if (first < parse_entry_id(kept->dropped_through))
    co_return make_error_code(store_errc::archived);
  co_return found;
}

template <class T, class Parse>
task<result<std::vector<T>>> redis_store::read_hash(const org_id& org, std::string_view part,
                                                    Parse parse) {
  std::vector<T> found;
  read_loan memory{memory_, org};
  const auto take = [&](std::string_view field, std::string_view value) {
    if (!memory.grow(sizeof(T) + field.size() + value.size())) return false;
    auto each = parse(field, value);
    if (each) found.push_back(*std::move(each));
    return each.has_value();
  };
  const auto read = co_await read_hash_in_pieces(connection_, org, key_of(org, part), take, memory);
  if (!read) co_return read.error();
  co_return found;
}

task<result<std::vector<grant_record>>> redis_store::grants(const org_id& org) {
  auto found = co_await read_hash<grant_record>(org, "grants", parse_grant);
  if (found)
    std::ranges::sort(*found, {}, [](const auto& each) { return std::tie(each.at, each.id); });
  co_return found;
}

task<result<std::vector<cycle_record>>> redis_store::cycles(const org_id& org) {
  auto found = co_await read_hash<cycle_record>(org, "cycles", parse_cycle);
  if (found) std::ranges::sort(*found, {}, &cycle_record::index);
  co_return found;
}

task<result<std::vector<top_up_record>>> redis_store::top_ups(const org_id& org) {
  auto found = co_await read_hash<top_up_record>(org, "top_ups", parse_top_up);
  const auto age = [](const auto& each) { return std::tie(each.requested_at, each.id); };
  if (found) std::ranges::sort(*found, {}, age);
  co_return found;
}

task<result<pending_work>> redis_store::pending(const org_id& org) {
  std::vector<std::vector<std::string>> commands{
      {"HMGET", key_of(org, "account"), "next_due", "open_top_ups"},
      {"HLEN", key_of(org, "holds")},
      {"TIME"}};
  const auto replies = co_await read_account_with(connection_, org, std::move(commands));
  if (!replies) co_return replies.error();
  const auto& [account, holds, time] = std::tie((*replies)[0], (*replies)[1], (*replies)[2]);
  const auto values = elements_of(*account);
  const auto now = parse_time(*time);
  if (values.size() != 2 || holds->type != REDIS_REPLY_INTEGER || !now) {
    co_return make_error_code(store_errc::protocol);
  }
  connection_.clock().synchronize(*now);
  pending_work work;
  work.holds = static_cast<std::size_t>(holds->integer);
  const auto ms = parse_integer(text_of(*values[0]));
  if (ms && *ms != 0) work.due = time_point{milliseconds{*ms}};
  work.open_top_ups = parse_open_top_ups(text_of(*values[1]));
  co_return work;
}

task<result<credits>> redis_store::spendable(const org_id& org) {
  std::vector<std::string> command{
      "HMGET", key_of(org, "account"), "granted", "settled", "held", "expired", "gate"};
  const auto reply = co_await read_account(connection_, org, std::move(command));
  if (!reply) co_return reply.error();
  const auto values = elements_of(**reply);
  if (values.size() != 5) co_return make_error_code(store_errc::protocol);
  std::array<std::int64_t, 4> totals{};
  for (std::size_t i = 0; i < totals.size(); ++i) {
    if (values[i]->type == REDIS_REPLY_NIL) continue;  // nothing was ever granted, or used
    const auto total = parse_integer(text_of(*values[i]));
    if (!total) co_return make_error_code(store_errc::protocol);
    totals[i] = *total;
  }
  auto micro = totals[0] - totals[1] - totals[2] - totals[3];
  if (const auto gate = unpack_gate(text_of(*values[4]))) {
    micro += std::max<std::int64_t>((*gate)[static_cast<std::size_t>(gate_field::room)], 0);
  }
  co_return credits::from_micro(micro);
}

task<result<std::vector<account_event>>> redis_store::events(const org_id& org, std::string after,
                                                             std::size_t limit) {
  if (!parse_entry_id(after)) co_return make_error_code(store_errc::protocol);
  std::vector<std::string> command{"XRANGE", key_of(org, "events"), "(" + after, "+",
                                   "COUNT",  std::to_string(limit)};
  const auto reply = co_await read_account(connection_, org, std::move(command));
  if (!reply) co_return reply.error();
  std::vector<account_event> found;
  for (const auto* element : elements_of(**reply)) {
    auto event = parse_event(*element);
    if (!event) co_return make_error_code(store_errc::protocol);
    found.push_back(*std::move(event));
  }
  co_return found;
}

task<result<account_changes>> redis_store::changes(const org_id& org,
                                                   std::optional<stream_positions> after,
                                                   std::optional<stream_positions> until) {
  auto command = account_changes_command(org, after, until);
  if (!command) co_return make_error_code(store_errc::protocol);
  const auto reply = co_await read_account(connection_, org, *std::move(command));
  if (!reply) co_return reply.error();
  co_return checked(parse_account_changes(**reply, after, until));
}

task<result<account_gap>> redis_store::gap_behind(const org_id& org, stream_positions after,
                                                  time_point told_from) {
  auto command = gap_command(org, after, told_from);
  if (!command) co_return make_error_code(store_errc::protocol);
  const auto reply = co_await read_account(connection_, org, *std::move(command));
  if (!reply) co_return reply.error();
  co_return checked(parse_gap(**reply, after));
}

void redis_store::on_top_up(top_up_listener listener) {
  batch_scheduler_->on_top_up = std::move(listener);
}

void redis_store::on_event(event_listener listener) {
  batch_scheduler_->on_event = std::move(listener);
}

time_point redis_store::now() const {
  return connection_.clock().now();
}

}  // namespace tollgate::quota::redis
