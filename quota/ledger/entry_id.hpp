// The id of a ledger entry: "1700000000000-12", the milliseconds at which it was written and a
// number that orders the entries of one millisecond.
#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::quota {

struct entry_id {
  std::uint64_t ms = 0, sequence = 0;

  auto operator<=>(const entry_id&) const = default;
};

// The entries of one script call, up to this many, share one element of the ledger's stream (an
// element of XRANGE). The id of each is the element's id with its sequence number times this, plus
// the entry's index. So ids order entries as they were written, and locate them.
inline constexpr std::uint64_t max_entries_together = 1000;

inline std::optional<entry_id> parse_entry_id(std::string_view text) {
  entry_id id;
  const auto end = text.data() + text.size();
  const auto [dash, failed] = std::from_chars(text.data(), end, id.ms);
  if (failed != std::errc{} || dash == end || *dash != '-') return std::nullopt;
  const auto [stop, failed_too] = std::from_chars(dash + 1, end, id.sequence);
  if (failed_too != std::errc{} || stop != end) return std::nullopt;
  return id;
}

inline std::string to_string(entry_id id) {
  return std::to_string(id.ms) + '-' + std::to_string(id.sequence);
}

}  // namespace tollgate::quota
