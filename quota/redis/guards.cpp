#include "quota/redis/guards.hpp"

#include <algorithm>
#include <bit>

#include <hiredis/hiredis.h>

#include "quota/redis/account_commands.hpp"
#include "quota/redis/gate_row.hpp"
#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/stored_time.hpp"

namespace tollgate::quota::redis {

namespace {

constexpr std::size_t digest_size = 10, record_size = 18;

// Integers separated by single blanks.
std::optional<std::vector<std::int64_t>> parse_integers(std::string_view text) {
  std::vector<std::int64_t> numbers;
  while (!text.empty()) {
    const auto number = parse_integer(take_until(text, ' '));
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

template <std::size_t N>
std::optional<std::array<std::int64_t, N>> parse_exactly(std::string_view text) {
  const auto numbers = parse_integers(text);
  if (!numbers || numbers->size() != N) return std::nullopt;
  std::array<std::int64_t, N> all{};
  std::ranges::copy(*numbers, all.begin());
  return all;
}

// Eight bytes, the most significant first: a double with an integer value.
std::optional<credits> parse_double(std::string_view bytes) {
  std::uint64_t bits = 0;
  for (const char byte : bytes) bits = bits << 8 | static_cast<unsigned char>(byte);
  const auto value = std::bit_cast<double>(bits);
  constexpr double most = 9e18;
  if (!(value > -most && value < most)) return std::nullopt;
  const auto micro = static_cast<std::int64_t>(value);
  if (static_cast<double>(micro) != value) return std::nullopt;
  return credits::from_micro(micro);
}

bool add_page(std::string_view limit_and_number, std::string_view text, account_guards& into) {
  const auto since = parse_integer(take_until(text, ' '));
  if (!since || text.size() % record_size != 0) return false;
  packed_page page{std::string{limit_and_number}, at_ms(*since), {}};
  for (; !text.empty(); text.remove_prefix(record_size)) {
    const auto amount = parse_double(text.substr(digest_size, record_size - digest_size));
    if (!amount) return false;
    page.totals.emplace_back(text.substr(0, digest_size), *amount);
  }
  into.pages.push_back(std::move(page));
  return true;
}

bool add_counter(std::string_view field, std::string_view text, account_guards& into) {
  if (field.starts_with('p')) return add_page(field.substr(1), text, into);
  const auto numbers = parse_integers(text);
  if (!numbers || numbers->size() < 3 || numbers->size() > 5) return false;
  if (field.starts_with('n')) {
    into.packed.push_back(
        {std::string{field.substr(1)}, at_ms((*numbers)[0]), (*numbers)[1], (*numbers)[2]});
    return numbers->size() == 3;
  }
  const bool in_a_window = field.size() > 1 && field[0] != 'a' && field[1] != '3';
  const auto begun = in_a_window && numbers->size() > 3 ? (*numbers)[3] : 0;
  into.counters.push_back({std::string{field}, (*numbers)[0], credits::from_micro((*numbers)[1]),
                           at_ms((*numbers)[2]), begun});
  return true;
}

// Reads one field of the account; empty text gives nothing.
template <std::size_t N>
void read_numbers(const redisReply& account, const std::string& field,
                  std::optional<std::array<std::int64_t, N>>& into, account_guards& guards) {
  const auto text = field_of(account, field);
  if (text.empty()) return;
  into = parse_exactly<N>(text);
  if (!into) guards.unreadable.push_back(field);
}

}  // namespace

std::vector<std::string> guards_command(const org_id& org) {
  static const std::string script =
      "local function snapshot() " + std::string{snapshot_script()} +
      " end "
      "local open = {} "
      "for id in string.gmatch(redis.call('HGET', KEYS[1], 'open_top_ups') or '', '[^\\n]+') do "
      "  open[#open + 1] = id "
      "  open[#open + 1] = redis.call('HGET', KEYS[6], id) or '' "
      "end "
      "return {snapshot(), redis.call('HGETALL', KEYS[5]), open}";
  std::vector<std::string> command{"EVAL", script, "6"};
  for (const char* part : {"account", "holds", "ledger", "cycles", "counters", "top_ups"}) {
    command.push_back(key_of(org, part));
  }
  return command;
}

std::optional<account_guards> parse_guards(const redisReply& reply) {
  const auto parts = elements_of(reply);
  if (parts.size() != 3) return std::nullopt;
  auto snapshot = parse_snapshot(*parts[0]);
  if (!snapshot) return std::nullopt;
  account_guards guards;
  guards.snapshot = *std::move(snapshot);
  const auto& account = *elements_of(*parts[0]).front();
  guards.active = parse_grants(account).value().active;
  guards.carried = parse_carried(field_of(account, "carried")).value().settled;
  if (const auto text = field_of(account, "gate"); !text.empty()) {
    guards.gate = unpack_gate(text);
    if (!guards.gate) guards.unreadable.emplace_back("gate");
  }
  read_numbers(account, "rate", guards.rate, guards);
  std::optional<std::array<std::int64_t, 1>> sequence;
  read_numbers(account, "sequence", sequence, guards);
  if (sequence) guards.sequence = sequence->front();
  guards.member_alerts = field_of(account, "member_alerts");
  const auto counters = elements_of(*parts[1]);
  for (std::size_t i = 0; i + 1 < counters.size(); i += 2) {
    const auto field = text_of(*counters[i]);
    if (add_counter(field, text_of(*counters[i + 1]), guards)) continue;
    auto name = "counter " + std::string{field};
    std::ranges::replace(name, '\t', ' ');
    guards.unreadable.push_back(std::move(name));
  }
  const auto open = elements_of(*parts[2]);
  for (std::size_t i = 0; i + 1 < open.size(); i += 2) {
    const auto top_up = parse_top_up(text_of(*open[i]), text_of(*open[i + 1]));
    if (top_up)
      guards.open_top_ups.push_back(*top_up);  // if it is missing, its own name is reported
  }
  return guards;
}

task<result<account_guards>> redis_guards::guards(const org_id& org) {
  auto command = guards_command(org);
  const auto reply = co_await read_account(connection_, org, std::move(command));
  if (!reply) co_return reply.error();
  auto parsed = parse_guards(**reply);
  if (!parsed) co_return make_error_code(store_errc::protocol);
  co_return *std::move(parsed);
}

}  // namespace tollgate::quota::redis
