#include "proxy/gateway/upstream_watch.hpp"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

namespace tollgate::proxy {

bool upstream_watch::state::may_log(steady_time now) {
  const auto more = (now - refilled) / line_every;
  if (more > 0) {
    lines = static_cast<int>(std::min<std::int64_t>(lines + more, most_lines));
    refilled = now;
  }
  if (lines == 0) return false;
  --lines;
  return true;
}

std::string upstream_watch::failed(const std::string& upstream, const upstream_failure& failure,
                                   steady_time now) {
  const auto cause = 1U << static_cast<unsigned>(failure.cause);
  const std::lock_guard lock{mutex_};
  auto& known = upstreams_[upstream];
  if (!known.failing) {
    known.reported = 0;
    known.calls = 0;
    known.since = now;
  }
  ++known.calls;
  if ((known.reported & cause) != 0 || !known.may_log(now)) return {};
  known.failing = true;
  known.reported |= cause;
  const auto why = failure.why ? " (" + failure.why.message() + ")" : std::string{};
  return fmt::format("upstream {} fails: {}{}", upstream, to_string(failure.cause), why);
}

bool upstream_watch::answered(const std::string& upstream, steady_time now, std::string& line) {
  const std::lock_guard lock{mutex_};
  auto& known = upstreams_[upstream];
  if (!known.failing) return true;
  if (!known.may_log(now)) return false;
  known.failing = false;
  const auto seconds = std::chrono::duration<double>(now - known.since).count();
  line = fmt::format("upstream {} answers again after {:.1f} s, in which {} calls failed", upstream,
                     seconds, known.calls);
  return true;
}

}  // namespace tollgate::proxy
