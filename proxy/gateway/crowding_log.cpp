#include "proxy/gateway/crowding_log.hpp"

#include <spdlog/spdlog.h>

namespace tollgate::proxy {

namespace {
constexpr std::chrono::seconds every{10};
}

bool crowding_log::is_due(bool has_room, steady_time now) {
  ++(has_room ? closed_ : refused_);
  if (now < next_) return false;
  next_ = now + every;
  return true;
}

void crowding_log::full(std::int64_t limit, bool has_room, steady_time now) {
  if (!is_due(has_room, now)) return;
  spdlog::warn(
      "a thread has all of its {} connections (limits.connections): {} that waited were closed, "
      "{} new ones refused",
      limit, closed_, refused_);
  closed_ = refused_ = 0;
}

void crowding_log::failed(const error_code& why, bool has_room, steady_time now) {
  if (!is_due(has_room, now)) return;
  spdlog::warn("cannot accept a connection: {}; {} that waited were closed", why.message(),
               closed_);
  closed_ = refused_ = 0;
}

}  // namespace tollgate::proxy
