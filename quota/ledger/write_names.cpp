// Generates names.lua during the build: the numbers of the wire protocol and the bounds, under the
// names that the ledger's library uses. So Lua and C++ cannot differ.
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

#include "quota/grants.hpp"
#include "quota/ledger/entry_id.hpp"
#include "quota/ledger/operation.hpp"
#include "quota/ledger/schema.hpp"

namespace {

using namespace tollgate::quota;

struct name {
  const char* text;
  std::int64_t number;
};

// Strings, because they are compared with arguments and written into answers.
template <std::size_t N>
void write_texts(const char* table, const std::array<name, N>& names) {
  std::printf("names.%s = {\n", table);
  for (const auto& [text, number] : names)
    std::printf("  %s = '%lld',\n", text, static_cast<long long>(number));
  std::puts("}");
}

void write_outcomes() {
  std::puts("names.outcome = {");
  for (int number = 0; number < 256; ++number) {
    const std::string text{to_string(static_cast<outcome>(number))};
    if (text != "unknown") std::printf("  %s = '%d',\n", text.c_str(), number);
  }
  std::puts("}");
}

constexpr std::array<name, 5> verdicts{{{"paid", static_cast<int>(top_up_verdict::paid)},
                                        {"declined", static_cast<int>(top_up_verdict::declined)},
                                        {"pending", static_cast<int>(top_up_verdict::pending)},
                                        {"failed", static_cast<int>(top_up_verdict::failed)},
                                        {"spent", static_cast<int>(top_up_verdict::spent)}}};
constexpr std::array<name, 2> reasons{{{"refund", static_cast<int>(take_back_reason::refund)},
                                       {"dispute", static_cast<int>(take_back_reason::dispute)}}};
constexpr std::array<name, 12> bounds{
    {{"max_micro", credits::max_micro},
     {"max_hold_timeout_ms", max_hold_timeout.count()},
     {"max_used", max_used},
     {"max_cents", max_cents},
     {"max_usd_micro_per_credit", max_usd_micro_per_credit},
     {"max_requests_per_minute", max_requests_per_minute},
     {"max_limits", max_limits},
     {"max_alerts", max_alerts},
     {"max_alert_percent", max_alert_percent},
     {"max_priority", max_priority},
     {"max_entries_together", static_cast<std::int64_t>(max_entries_together)},
     {"resolution_memory_hours", resolution_memory_hours}}};

}  // namespace

int main() {
  std::puts(
      "-- Made by quota/ledger/write_names.cpp from quota/ledger/operation.hpp and its "
      "neighbours.");
  std::puts("local names = {}");
  write_outcomes();
  write_texts("verdict", verdicts);
  write_texts("reason", reasons);
  for (const auto& [text, number] : bounds)
    std::printf("names.%s = %lld\n", text, static_cast<long long>(number));
  std::printf("names.schema_version = '%d'\nreturn names\n", schema_version);
}
