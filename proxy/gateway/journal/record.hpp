// The journal's records of a charge, as bytes: pure.
//
// A segment is a header and records, each framed by its length and a checksum, on boundaries of
// eight bytes. The last record is followed by zeros.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "quota/charge.hpp"

namespace tollgate::proxy::journal {

// From here on the charge is settled at the recorded usage, if no later record changes that.
struct opened {
  quota::hold_id id;
  quota::org_id org;
  quota::rate price_at;  // without its name
  std::int64_t used = 0;
  std::int64_t hold_timeout_ms = 0;
  std::string request_id;
  quota::attribution who;
};
struct used_more {
  quota::hold_id id;
  std::int64_t used = 0;
};
// The call has ended: the charge must be settled, or voided.
struct ended {
  quota::hold_id id;
  bool settles = true;
  std::int64_t used = 0;
};
// The ledger has confirmed the resolution.
struct done {
  quota::hold_id id;
};
using record = std::variant<opened, used_more, ended, done>;

// The first word of a written frame, changed so that an `opened` is to be voided; used if there is
// no room for an `ended` record. No single damaged bit has the same effect.
std::uint32_t struck_out(std::uint32_t first_word);

// The longest possible frame; a record whose texts would make it longer is not written.
inline constexpr std::size_t longest_frame = 8 * 1024;
// The record in its frame; empty if it is too long.
std::string_view encode(const opened& what, std::string& buffer);
std::string_view encode(const used_more& what, std::string& buffer);
std::string_view encode(const ended& what, std::string& buffer);
std::string_view encode(const done& what, std::string& buffer);

inline constexpr std::size_t header_size = 64;
struct segment_header {
  std::uint64_t sequence = 0;
  std::uint32_t worker = 0;
  std::uint64_t synced = 0;  // the number of bytes of the segment that are on disk
  std::string store{};       // the id of the store with the holds, 32 hex digits; empty: not known
};
std::string encode(const segment_header& header);
// The positions of `synced` and `store` in the header, because they are written later.
inline constexpr std::size_t synced_at = 32, store_at = 40;
// `store` as bytes; empty if it is not an id.
std::string encode_store(std::string_view store);

struct damage {
  std::uint64_t offset;
  std::string what;
};

// The contents of a segment.
struct segment_content {
  std::optional<segment_header> header;  // if missing, see `damaged`
  std::vector<damage> damaged;           // records in the middle that cannot be read
  std::optional<std::uint64_t> torn_at;  // the last record, incomplete because the process ended
  std::size_t records = 0;
};

// Reads all records of a segment; accepts any bytes. Records after a damaged one are found again by
// their checksums.
segment_content read_segment(std::string_view bytes, const std::function<void(record&&)>& visit);

}  // namespace tollgate::proxy::journal
