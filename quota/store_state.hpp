// What a connection to the store can do, and why not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::quota {

// Why operations are not taken. The names stand in log lines, metrics and /readyz.
enum class store_trouble : std::uint8_t {
  none,           // ready: operations are taken
  connecting,     // not connected yet
  name_unknown,   // the host's name does not resolve
  unreachable,    // no connection: refused, no route, no answer
  closed,         // the connection was closed or reset
  timed_out,      // no answer in time
  malformed,      // the answer is not the Redis protocol
  too_many,       // the server takes no more connections
  no_auth,        // wrong or missing password
  no_permission,  // the user may not run a command that is needed
  loading,        // the server is reading its data
  busy,           // a script holds the server
  replica,        // the server is a replica: it takes no writes
  cluster_down,   // the cluster does not serve the key, or another node does
  out_of_memory,  // maxmemory is reached
  disk_error,     // the server cannot write its data to disk
  no_replicas,    // fewer replicas than the server requires for a write
  no_library,     // the ledger's library is missing and cannot be loaded
  newer_schema,   // a later version of Tollgate has written the store
  other,
};
inline constexpr std::size_t store_trouble_count = 20;
std::string_view to_string(store_trouble trouble);
// Only an operator ends it: a command that somebody waits for gives up at once.
bool needs_operator(store_trouble trouble);

// How often each was met: failed connections and error replies.
using store_trouble_counts = std::array<std::uint64_t, store_trouble_count>;

struct store_state {
  store_trouble trouble = store_trouble::connecting;
  std::string detail;  // for the operator: what the server or the system said

  bool ready() const { return trouble == store_trouble::none; }
};

}  // namespace tollgate::quota
