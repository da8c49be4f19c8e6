// tollgate-sample-upstream: an AI platform that answers at once and costs nothing. The quickstart,
// the tests and the clients put Tollgate in front of it. README.md lists its endpoints.
#include <charconv>
#include <iostream>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <sys/resource.h>

#include "deploy/sample_upstream/server.hpp"

namespace sample = tollgate::sample_upstream;
namespace asio = boost::asio;

namespace {

struct address {
  std::string host;
  std::uint16_t port = 0;
};

std::optional<address> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  address parsed{text.substr(0, colon), 0};
  const auto* const end = text.data() + text.size();
  const auto [rest, ec] = std::from_chars(text.data() + colon + 1, end, parsed.port);
  if (ec != std::errc{} || rest != end) return std::nullopt;
  return parsed;
}

// Every connection needs a descriptor, and the usual soft limit is 1,024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void serve(const address& where) {
  asio::io_context context{1};
  sample::statistics counted;
  auto acceptor = sample::open_listener(context, where.host, where.port);
  std::cout << "listening on " << where.host << ':' << acceptor.local_endpoint().port()
            << std::endl;
  asio::signal_set signals{context, SIGINT, SIGTERM};
  signals.async_wait([&](boost::system::error_code, int) { context.stop(); });
  asio::co_spawn(context, sample::accept_connections(std::move(acceptor), counted), asio::detached);
  context.run();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A sample AI platform: OpenAI- and Anthropic-shaped answers at no cost."};
  std::string listen = "127.0.0.1:9100";
  app.add_option("--listen", listen, "HOST:PORT; port 0 takes any free one")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const auto where = parse_address(listen);
  if (!where) {
    std::cerr << "--listen wants HOST:PORT, not '" << listen << "'\n";
    return 2;
  }
  raise_descriptor_limit();
  try {
    serve(*where);
  } catch (const std::exception& error) {
    std::cerr << "tollgate-sample-upstream: " << listen << ": " << error.what() << '\n';
    return 1;
  }
  return 0;
}
