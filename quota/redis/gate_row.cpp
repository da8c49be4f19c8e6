#include "quota/redis/gate_row.hpp"

#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

constexpr auto told = static_cast<std::size_t>(gate_field::told);
constexpr auto member_alerts = static_cast<std::size_t>(gate_field::member_alerts);
constexpr std::int64_t there_are_member_alerts = 4;  // added to `told`

}  // namespace

std::string pack_gate(const gate_numbers& gate) {
  auto written = gate;
  written[told] += written[member_alerts] * there_are_member_alerts;
  std::string text;
  for (std::size_t i = 0; i <= told; ++i)
    text.append(i > 0 ? " " : "").append(std::to_string(written[i]));
  return text;
}

std::optional<gate_numbers> unpack_gate(std::string_view text) {
  gate_numbers gate{};
  for (std::size_t i = 0; i <= told; ++i) {
    const auto number = parse_integer(take_until(text, ' '));
    if (!number) return std::nullopt;
    gate[i] = *number;
  }
  if (!text.empty() || gate[told] < 0) return std::nullopt;
  gate[member_alerts] = gate[told] / there_are_member_alerts;
  gate[told] %= there_are_member_alerts;
  return gate;
}

}  // namespace tollgate::quota::redis
