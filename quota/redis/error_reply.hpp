// What an error reply of the server means: quota/redis/README.md, "Error replies", has the table.
#pragma once

#include <string>
#include <string_view>

#include "quota/store_state.hpp"

namespace tollgate::quota::redis {

// What the connection does about an error.
enum class remedy : std::uint8_t {
  nothing,    // it concerns this command only
  wait,       // the server takes no writes, or nothing at all, for now; the connection stays
  reconnect,  // another server may have the address: resolve it again
};

struct error_reply {
  store_trouble trouble = store_trouble::none;  // none: the server itself is well
  // The server, or the script, refused before anything was changed. Otherwise the script was
  // running, and its effect is unknown.
  bool not_applied = false;
  remedy then = remedy::nothing;
};

error_reply read_error_reply(std::string_view text);

// Whether an error reply says that the store does not have the function.
bool is_unknown_function(std::string_view error);
// Whether it says that the user may not do this.
bool is_forbidden(std::string_view error);
// The commands in the line of a script at which the error came, in which Redis does not name one:
// "ZADD or ZREM". Empty if it is not of an EVAL, or if the line has none.
std::string commands_at_error(std::string_view script, std::string_view error);
// Whether it says that the store takes no writes now. An operation that changes nothing needs no
// write.
bool takes_no_writes(std::string_view error);

}  // namespace tollgate::quota::redis
