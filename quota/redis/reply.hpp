// Helpers for replies, used by all calls of the store.
#pragma once

#include <hiredis/hiredis.h>

#include "quota/redis/connection.hpp"
#include "quota/store_error.hpp"

namespace tollgate::quota::redis {

// An error reply is not an answer.
inline result<reply_ptr> checked(result<reply_ptr> reply) {
  if (reply && (*reply)->type == REDIS_REPLY_ERROR) return make_error_code(store_errc::protocol);
  return reply;
}

// result<bool> would take an error code for a bool.
inline result<bool> failed(error_code ec) {
  return {boost::system::in_place_error, ec};
}

}  // namespace tollgate::quota::redis
