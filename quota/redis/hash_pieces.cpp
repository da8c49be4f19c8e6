#include "quota/redis/hash_pieces.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include <hiredis/hiredis.h>

#include "quota/redis/account_commands.hpp"
#include "quota/redis/reply.hpp"
#include "quota/redis/rows.hpp"

namespace tollgate::quota::redis {

namespace {

std::uint64_t fnv_1a(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 1'099'511'628'211ULL;
  return hash;
}

// The fields that were taken, by two hashes: 128 bits. HSCAN repeats fields while Redis resizes the
// hash. A table with open addressing, in parts: while one grows, the others take no more memory.
class taken_fields {
 public:
  enum class outcome : std::uint8_t { first_time, again, no_memory };

  explicit taken_fields(read_loan& memory) : memory_{memory}, parts_(64) {}

  outcome add(std::string_view field) {
    digest of{std::hash<std::string_view>{}(field), fnv_1a(field)};
    if (of == digest{}) of.first = 1;  // that one means: free
    auto& part = parts_[of.second % parts_.size()];
    if (4 * part.used >= 3 * part.slots.size() && !grow(part)) return outcome::no_memory;
    auto& slot = slot_of(part.slots, of);
    if (slot == of) return outcome::again;
    slot = of;
    ++part.used;
    return outcome::first_time;
  }

 private:
  using digest = std::pair<std::uint64_t, std::uint64_t>;
  struct part_of_table {
    std::vector<digest> slots;
    std::size_t used = 0;
  };

  // The one with this digest, or the free one in which it belongs. A quarter of them are free.
  static digest& slot_of(std::vector<digest>& slots, const digest& of) {
    auto i = of.first % slots.size();
    while (slots[i] != digest{} && slots[i] != of) i = i + 1 < slots.size() ? i + 1 : 0;
    return slots[i];
  }
  bool grow(part_of_table& part) {
    const auto more = std::max<std::size_t>(part.slots.size() / 2, 16);
    if (!memory_.grow(more * sizeof(digest))) return false;
    std::vector<digest> slots(part.slots.size() + more);
    for (const auto& each : part.slots) {
      if (each != digest{}) slot_of(slots, each) = each;
    }
    part.slots = std::move(slots);
    return true;
  }

  read_loan& memory_;
  std::vector<part_of_table> parts_;
};

// COUNT counts fields and values in Redis 7.0.
std::vector<std::string> next_piece(const std::string& key, std::string cursor) {
  return {"HSCAN", key, std::move(cursor), "COUNT", std::to_string(2 * fields_a_piece)};
}

}  // namespace

task<result<void>> read_hash_in_pieces(connection& connection, const org_id& org, std::string key,
                                       field_taker take, read_loan& memory) {
  taken_fields taken{memory};
  std::string cursor = "0";
  bool many = false;
  do {
    const auto reply = co_await read_account(connection, org, next_piece(key, std::move(cursor)));
    if (!reply) co_return reply.error();
    const auto parts = elements_of(**reply);
    if (parts.size() != 2) co_return make_error_code(store_errc::protocol);
    cursor = text_of(*parts[0]);
    many = many || cursor != "0";
    const auto flat = elements_of(*parts[1]);
    for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
      const auto field = text_of(*flat[i]);
      const auto added = many ? taken.add(field) : taken_fields::outcome::first_time;
      if (added == taken_fields::outcome::again) continue;
      if (added == taken_fields::outcome::no_memory)
        co_return make_error_code(store_errc::no_memory);
      const bool taken_over = take(field, text_of(*flat[i + 1]));
      if (memory.refused()) co_return make_error_code(store_errc::no_memory);
      if (!taken_over) co_return make_error_code(store_errc::protocol);
    }
  } while (cursor != "0");
  co_return result<void>{};
}

}  // namespace tollgate::quota::redis
