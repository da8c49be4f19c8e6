#include "proxy/gateway/refused_connections.hpp"

#include <utility>

#include "proxy/gateway/own_response.hpp"

namespace tollgate::proxy {

namespace {

std::string too_many_connections(std::string_view request_id) {
  auto response = refusal({routes::problem_code::overloaded,
                           "Too many connections; try again shortly.",
                           std::chrono::seconds{1},
                           {}},
                          routes::dialect::platform, request_id);
  response.close = true;
  return serialize(response, request_id, std::chrono::system_clock::now());
}

}  // namespace

void refused_connections::refuse(tcp_socket socket, deadline_list& deadlines,
                                 std::string_view request_id, std::size_t most) {
  const auto answer = too_many_connections(request_id);
  error_code ec;
  socket.non_blocking(true, ec);
  socket.write_some(asio::buffer(answer), ec);
  if (ec) return;
  const auto refused = std::make_shared<connection>(std::move(socket), deadlines);
  refused->io.shutdown_send(refused);
  refused->io.expires_after(longest);
  open_.push_back(*refused);
  if (open_.size() > most) open_.front().end();
  if (refused->io.is_open()) refused->drop_input(asio::buffer(dropped_));
}

void refused_connections::close_all() {
  while (!open_.empty()) open_.front().end();
}

}  // namespace tollgate::proxy
