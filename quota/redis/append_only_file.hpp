// The append-only log of an embedded store, before its server reads it.
//
// A server that is killed in the middle of a write leaves a last command, or a last transaction,
// without its end. Redis 7 (and Valkey, to this day) rightly ignores what is there of it, but cuts
// the file off inside the transaction instead of before it; the next start reads that rest and what
// was written since as one transaction, and part of a call that was never acknowledged comes to
// life. So the end of the last file is mended before the server reads it, and what is cut off is
// kept beside it.
//
// Everything else that is not as a server writes it, or not as it was written
// (block_checksums.hpp), is damage: a server that went on would forget what has been acknowledged.
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
// Says what to do, too.
std::string to_string(const append_only_damage& damage);

struct nothing_to_mend {};
using mended = std::variant<nothing_to_mend, append_only_cut, append_only_damage>;

// Looks at all files of the log in `directory`, and cuts off what is incomplete at the end of the
// last. No server may be running there. Damaged files are left as they are.
mended mend_append_only_file(const std::string& directory);

// Where the log, its manifest and the checksums of its files are.
std::string append_only_directory(const std::string& directory);
std::string manifest_path(const std::string& directory);
std::string checksums_path(const std::string& directory, const std::string& name);

}  // namespace tollgate::quota::redis
