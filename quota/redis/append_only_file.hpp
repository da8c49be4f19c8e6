// The append-only file of a Redis that was killed in the middle of a write.
//
// A script's changes are one transaction in the file, MULTI ... EXEC. When the file ends in the
// middle of one, Redis 7 (and Valkey, to this day) rightly ignores what is there of it, but cuts
// the file off inside the transaction instead of before it. The next start reads that rest and what
// was written since as one transaction: part of a call that was never acknowledged comes to life,
// ledger entries without their balance. So the end of the file is mended before the server reads
// it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace tollgate::quota::redis {

// The length of the longest beginning of the file in which everything is complete: no command cut
// short, no transaction without its end. Nothing: it is not an append-only file.
std::optional<std::uint64_t> whole_length(std::FILE* file);

// Cuts off what is incomplete at the end of the append-only file that a server would go on with in
// `directory`. No server may be running there. The number of bytes that were cut off; a file that
// cannot be read is left for the server to complain about.
std::uint64_t mend_append_only_file(const std::string& directory);

}  // namespace tollgate::quota::redis
