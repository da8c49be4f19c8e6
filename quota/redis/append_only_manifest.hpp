// Which files an append-only log of Redis 7 is made of, as its manifest says: pure text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tollgate::quota::redis {

// The base, a snapshot, and the increments since. Files that a rewrite has made superfluous are not
// named.
struct append_only_manifest {
  std::optional<std::string> base;
  std::int64_t base_sequence = 0;
  std::vector<std::string> increments;  // the last one is appended to
};

struct manifest_error {
  std::uint64_t offset;  // of the line
  std::string what;
};

// Accepts what a server writes and nothing else, because a server follows a manifest in which one
// bit is wrong: it deletes the files that it calls history.
std::variant<append_only_manifest, manifest_error> read_manifest(std::string_view text);

// "appendonly.aof.7.incr.aof" -> 7, of a file that is appended to. Nothing: it is another name.
std::optional<std::int64_t> sequence_of_increment(std::string_view name);

}  // namespace tollgate::quota::redis
