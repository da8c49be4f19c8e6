#include "proxy/net/api/connections.hpp"

#include <array>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include "proxy/net/no_throw.hpp"

namespace tollgate::proxy::admin {

namespace {

using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

}  // namespace

task<> connections::accept(server serve) {
  while (!stopped_) {
    error_code ec;
    auto socket = co_await listener_.async_accept(no_throw(ec));
    if (stopped_) break;
    if (ec) {  // out of descriptors: wait until some are free
      timer pause{listener_.get_executor(), std::chrono::milliseconds{100}};
      co_await pause.async_wait(no_throw(ec));
      continue;
    }
    if (!make_room()) continue;  // closes the new one
    const auto peer = socket.remote_endpoint(ec);
    const auto accepted =
        std::make_shared<connection>(tcp_stream{std::move(socket)}, to_text(peer.address()));
    open_.emplace_back(accepted);
    auto serving = [serve, accepted]() -> task<> { co_await serve(accepted); };
    asio::co_spawn(listener_.get_executor(), std::move(serving), asio::detached);
  }
}

bool connections::make_room() {
  open_.remove_if([](const auto& each) { return each.expired(); });
  if (open_.size() < most_) return true;
  using state = const connection&;
  const std::array<bool (*)(state), 3> first_to_go = {
      [](state each) { return !each.busy && each.idle; },
      [](state each) { return !each.busy; },
      [](state each) { return !each.trusted; },
  };
  for (const auto may_go : first_to_go) {
    for (auto each = open_.begin(); each != open_.end(); ++each) {
      const auto open = each->lock();
      if (!open || !may_go(*open)) continue;
      open->socket.close();
      open_.erase(each);
      return true;
    }
  }
  return false;
}

void connections::stop() {
  stopped_ = true;
  error_code ignored;
  listener_.close(ignored);
  for (const auto& weak : open_) {
    if (const auto each = weak.lock(); each && !each->busy) each->socket.close();
  }
}

task<> end_connection(tcp_stream& socket, boost::beast::flat_buffer& buffer) {
  error_code ec;
  socket.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  socket.expires_after(std::chrono::seconds{1});
  buffer.clear();
  while (!ec) co_await socket.async_read_some(buffer.prepare(4096), no_throw(ec));
}

}  // namespace tollgate::proxy::admin
