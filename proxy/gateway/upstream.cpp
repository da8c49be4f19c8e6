#include "proxy/gateway/upstream.hpp"

namespace tollgate::proxy {

namespace {

std::string make_authority(const config::upstream_settings& upstream) {
  const bool v6 = upstream.host.find(':') != std::string::npos;
  std::string text = v6 ? "[" + upstream.host + "]" : upstream.host;
  if (upstream.port != (upstream.tls ? 443 : 80)) text += ":" + std::to_string(upstream.port);
  return text;
}

}  // namespace

upstream_pool::upstream_pool(asio::io_context& context, deadline_list& deadlines,
                             const config::upstream_settings& settings, const config::settings& all)
    : settings_{settings},
      max_idle_{all.limits.idle_upstream_connections},
      authority_{make_authority(settings)},
      connector_{context, deadlines, settings_, all.timeouts.connect},
      idle_time_{settings.keep_alive.value_or(all.timeouts.keep_alive)} {}

upstream_lease upstream_pool::take_idle(steady_time now) {
  while (!idle_.empty()) {
    auto [connection, since] = std::move(idle_.back());
    idle_.pop_back();
    const auto age = now - since;
    if (!idle_time_.allows(age, now)) {
      idle_.clear();  // the others are older
      break;
    }
    if (connection->io.is_stale()) {
      idle_time_.found_closed(age, now);
      continue;
    }
    connection->reused = true;
    connection->age = age;
    ++counted_.reuses;
    if (cells_ != nullptr) cells_->reuses.increment();
    return std::move(connection);
  }
  return nullptr;
}

task<result<upstream_lease>> upstream_pool::acquire(bool fresh) {
  connect_interest lasting;
  co_return co_await acquire(fresh, lasting);
}

task<result<upstream_lease>> upstream_pool::acquire(bool fresh, connect_interest& who) {
  if (!fresh) {
    if (auto idle = take_idle(std::chrono::steady_clock::now())) co_return idle;
  }
  auto connecting = connect_by_ ? connect_by_() : connector_.connect(who);
  auto made = co_await std::move(connecting);
  if (!made && !who.is_there()) co_return made;  // says nothing about the upstream
  ++(made ? counted_.connects : counted_.connect_failures);
  if (cells_ != nullptr) {
    (made ? cells_->connects : cells_->connect_failures).increment();
    if (made) (*made)->counted = open_connection{cells_->open};
  }
  co_return made;
}

void upstream_pool::release(upstream_lease connection, steady_time now) {
  connection->io.never_expires();
  connection->in.shrink();
  const bool usable = connection->in.empty() && idle_time_.allows({}, now);
  if (!usable || idle_.size() >= max_idle_) return;  // closes it
  idle_.push_back({std::move(connection), now});
}

void upstream_pool::prune(steady_time now) {
  std::erase_if(idle_, [&](idle_connection& each) {
    const auto age = now - each.since;
    if (!idle_time_.allows(age, now)) return true;
    if (!each.connection->io.is_stale()) return false;
    idle_time_.found_closed(age, now);
    return true;
  });
}

}  // namespace tollgate::proxy
