// The files of an append-only log of Redis 7, as listed in its manifest. Text only, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tollgate::quota::redis {

// The base, which is a snapshot, and the increments since. Files that a rewrite has made obsolete
// are not included.
struct append_only_manifest {
  std::optional<std::string> base;
  std::int64_t base_sequence = 0;
  std::vector<std::string> increments;  // the last one is appended to
};

struct manifest_error {
  std::uint64_t offset;  // of the line
  std::string what;
};

// Accepts only what a server writes, because a server obeys a manifest even if one bit of it is
// wrong: it deletes the files that the manifest calls history.
std::variant<append_only_manifest, manifest_error> read_manifest(std::string_view text);

// "appendonly.aof.7.incr.aof" -> 7, for a file that is appended to. Nothing for any other name.
std::optional<std::int64_t> sequence_of_increment(std::string_view name);

}  // namespace tollgate::quota::redis
