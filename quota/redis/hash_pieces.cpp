#include "quota/redis/hash_pieces.hpp"

#include <unordered_set>
#include <utility>

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
// hash.
class taken_fields {
 public:
  // An element of the set and its share of the buckets, which are twice as many for a moment when
  // they grow.
  static constexpr std::size_t bytes_each = 72;

  bool first_time(std::string_view field) {
    return seen_.insert({std::hash<std::string_view>{}(field), fnv_1a(field)}).second;
  }

 private:
  using digest = std::pair<std::uint64_t, std::uint64_t>;
  struct first_of {
    std::size_t operator()(const digest& of) const { return of.first; }
  };
  std::unordered_set<digest, first_of> seen_;
};

// COUNT counts fields and values in Redis 7.0.
std::vector<std::string> next_piece(const std::string& key, std::string cursor) {
  return {"HSCAN", key, std::move(cursor), "COUNT", std::to_string(2 * fields_a_piece)};
}

}  // namespace

task<result<void>> read_hash_in_pieces(connection& connection, const org_id& org, std::string key,
                                       field_taker take, read_loan& memory) {
  taken_fields taken;
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
    if (many && !memory.grow(flat.size() / 2 * taken_fields::bytes_each))
      co_return make_error_code(store_errc::no_memory);
    for (std::size_t i = 0; i + 1 < flat.size(); i += 2) {
      const auto field = text_of(*flat[i]);
      if (many && !taken.first_time(field)) continue;
      const bool taken_over = take(field, text_of(*flat[i + 1]));
      if (memory.refused()) co_return make_error_code(store_errc::no_memory);
      if (!taken_over) co_return make_error_code(store_errc::protocol);
    }
  } while (cursor != "0");
  co_return result<void>{};
}

}  // namespace tollgate::quota::redis
