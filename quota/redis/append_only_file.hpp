// The append-only log of an embedded store, before its server reads it.
//
// A server that is killed in the middle of a write leaves an incomplete last command or
// transaction. Redis 7 (and current Valkey) correctly ignores it, but truncates the file inside the
// transaction instead of before it. The next start reads that rest and everything written since as
// one transaction, and applies part of a call that was never acknowledged. So the end of the last
// file is repaired before the server reads it, and the bytes that are cut off are kept in another
// file.
//
// Anything else that a server would not write, or that differs from what was written
// (block_checksums.hpp), is damage: a server that started on it would lose acknowledged writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace tollgate::quota::redis {

struct append_only_cut {
  std::string file, kept_in;
  std::uint64_t offset = 0, bytes = 0;
};

struct append_only_damage {
  std::string file;
  std::uint64_t offset = 0;
  std::string what;
};
// Also says what to do.
std::string to_string(const append_only_damage& damage);

struct nothing_to_mend {};
using mended = std::variant<nothing_to_mend, append_only_cut, append_only_damage>;

// Checks all files of the log in `directory`, and cuts off the incomplete end of the last one. No
// server may be running there. Damaged files are left unchanged.
mended mend_append_only_file(const std::string& directory);

// The location of the log, its manifest and the checksums of its files.
std::string append_only_directory(const std::string& directory);
std::string manifest_path(const std::string& directory);
std::string checksums_path(const std::string& directory, const std::string& name);

}  // namespace tollgate::quota::redis
