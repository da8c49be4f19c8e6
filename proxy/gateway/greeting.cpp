#include "proxy/gateway/greeting.hpp"

#include <array>
#include <span>

#include "proxy/net/acceptor.hpp"
#include "proxy/net/proxy_header.hpp"

namespace tollgate::proxy {

namespace {

// What follows the header may be TLS, so not a byte of it may be read.
task<greeting> read_proxy_header(downstream& client) {
  proxy_header header;
  std::array<char, 256> bytes;
  const std::span<char> into{bytes};
  while (header.state() == proxy_header::progress::incomplete) {
    const auto n = co_await client.io.peek(into);
    if (n == 0) co_return greeting::over;
    const auto taken = header.take({bytes.data(), n});
    const bool malformed = header.state() == proxy_header::progress::malformed;
    if (malformed) co_return greeting::wrong_proxy_header;
    if (!client.io.skip({bytes.data(), taken})) co_return greeting::over;
  }
  if (header.client()) client.peer = to_text(*header.client());
  co_return greeting::done;
}

// As nginx tells them apart: a handshake begins with its record type; 0x80 was SSL 2.
bool begins_handshake(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte == 0x16 || (byte & 0x80) != 0;
}

task<greeting> accept_tls(downstream& client, asio::ssl::context& context) {
  std::array<char, 1> first;
  const std::span<char> into{first};
  const auto n = co_await client.io.peek(into);
  if (n == 0) co_return greeting::over;
  if (!begins_handshake(first[0])) co_return greeting::plain_http;
  client.secure = true;
  const auto ec = co_await client.io.accept_tls(context);
  co_return ec ? greeting::over : greeting::done;
}

}  // namespace

task<greeting> greet(downstream& client, const runtime& runtime) {
  const auto within = runtime.settings().timeouts.client_head;
  auto how = greeting::done;
  if (client.is_proxy) {
    client.io.expires_after(within);
    how = co_await read_proxy_header(client);
  }
  if (how == greeting::done && runtime.tls) {
    client.io.expires_after(within);
    how = co_await accept_tls(client, *runtime.tls);
  }
  client.io.never_expires();
  co_return how;
}

}  // namespace tollgate::proxy
