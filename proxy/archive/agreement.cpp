#include "proxy/archive/agreement.hpp"

#include <algorithm>
#include <limits>

#include <spdlog/fmt/fmt.h>

#include "proxy/net/outbound/signature.hpp"
#include "quota/hex.hpp"
#include "quota/ledger/entry_id.hpp"

namespace tollgate::proxy::archive {

namespace {

constexpr std::size_t seal_bytes = 12;
constexpr std::uint64_t last_of_a_millisecond = std::numeric_limits<std::int64_t>::max();

quota::entry_id entry_id_of(const std::string& id) {
  return quota::parse_entry_id(id).value_or(quota::entry_id{});
}

// The part of a text that no database changes.
std::string plain(std::string text) {
  std::erase_if(text, [](char c) { return c < ' ' || c > '~'; });
  return text;
}

}  // namespace

std::string seal_of(const quota::ledger_entry& entry) {
  const auto said =
      fmt::format("{} {} {} {} {} {} {} {}", quota::to_string(entry.type), entry.amount.micro(),
                  entry.released.micro(), entry.overage.micro(), entry.available.micro(),
                  entry.used, entry.cycle, plain(entry.subject));
  const auto digest = outbound::sha256(said);
  return quota::to_hex(std::span{digest}.first(seal_bytes));
}

bool is_to_be_found(const position& at, const std::string& dropped_through) {
  return entry_id_of(at.entry) > entry_id_of(dropped_through);
}

std::string right_before(const position& at) {
  const auto id = entry_id_of(at.entry);
  if (id.sequence > 0) return to_string(quota::entry_id{id.ms, id.sequence - 1});
  return to_string(quota::entry_id{id.ms - 1, last_of_a_millisecond});
}

bool begins_with(const std::vector<quota::ledger_entry>& entries, const position& at) {
  if (entries.empty() || entries.front().id != at.entry) return false;
  return at.seal.empty() || at.seal == seal_of(entries.front());
}

task<result<bool>> still_has(quota::account_history& history, quota::org_id org, position at,
                             std::string dropped_through) {
  using answer = result<bool>;
  if (!is_to_be_found(at, dropped_through)) co_return answer{boost::system::in_place_value, true};
  const auto found = co_await history.entries(org, right_before(at), 1);
  if (!found) co_return answer{boost::system::in_place_error, found.error()};
  co_return answer{boost::system::in_place_value, begins_with(*found, at)};
}

}  // namespace tollgate::proxy::archive
