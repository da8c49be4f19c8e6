#include "proxy/gateway/upstream.hpp"

#include <boost/asio/connect.hpp>

#include "config/setting_error.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::chrono::seconds resolution_lifetime{30};

std::string make_authority(const config::upstream_settings& upstream) {
  const bool v6 = upstream.host.find(':') != std::string::npos;
  std::string text = v6 ? "[" + upstream.host + "]" : upstream.host;
  if (upstream.port != (upstream.tls ? 443 : 80)) text += ":" + std::to_string(upstream.port);
  return text;
}

}  // namespace

std::unique_ptr<asio::ssl::context> make_upstream_tls(const config::upstream_settings& upstream) {
  if (!upstream.tls) return nullptr;
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  static constexpr unsigned char alpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context->native_handle(), alpn, sizeof alpn - 1);
  if (upstream.ca_file.empty()) {
    context->set_default_verify_paths();
  } else {
    error_code ec;
    context->load_verify_file(upstream.ca_file, ec);
    if (ec) {
      auto key = std::string{"upstreams."}.append(upstream.name).append(".ca_file");
      throw config::setting_error{std::move(key), upstream.ca_file + ": " + ec.message()};
    }
  }
  return context;
}

upstream_pool::upstream_pool(asio::io_context& context, deadline_list& deadlines,
                             const config::upstream_settings& settings, const config::settings& all)
    : context_{context},
      deadlines_{deadlines},
      settings_{settings},
      connect_timeout_{all.timeouts.connect},
      keep_alive_{all.timeouts.keep_alive},
      max_idle_{all.limits.idle_upstream_connections},
      authority_{make_authority(settings)},
      tls_{make_upstream_tls(settings)} {}

upstream_lease upstream_pool::take_idle() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back().connection);
    idle_.pop_back();
    if (connection->io.is_stale()) continue;
    connection->reused = true;
    ++counted_.reuses;
    return connection;
  }
  return nullptr;
}

task<result<upstream_lease>> upstream_pool::acquire(bool fresh) {
  if (!fresh) {
    if (auto idle = take_idle()) co_return idle;
  }
  auto connecting = connect_by_ ? connect_by_() : connect();
  auto made = co_await std::move(connecting);
  ++(made ? counted_.connects : counted_.connect_failures);
  co_return made;
}

void upstream_pool::release(upstream_lease connection) {
  connection->io.never_expires();
  connection->in.shrink();
  if (!connection->in.empty() || idle_.size() >= max_idle_) return;  // closes it
  idle_.push_back({std::move(connection), deadlines_.now()});
}

void upstream_pool::prune() {
  std::erase_if(idle_, [&](idle_connection& each) {
    return deadlines_.now() - each.since > keep_alive_ || each.connection->io.is_stale();
  });
}

task<result<upstream_lease>> upstream_pool::connect() {
  const auto endpoints = co_await resolve();
  if (!endpoints) co_return endpoints.error();
  error_code ec = asio::error::host_not_found;
  for (const auto& endpoint : *endpoints) {
    auto connection =
        std::make_unique<upstream_connection>(tcp_socket{context_.get_executor()}, deadlines_);
    auto& io = connection->io;
    io.expires_after(connect_timeout_);
    ec = {};
    co_await io.socket().async_connect(endpoint, asio::redirect_error(use_task, ec));
    if (!ec) {
      io.socket().set_option(asio::ip::tcp::no_delay{true}, ec);
      io.socket().non_blocking(true, ec);
      if (tls_) ec = co_await io.connect_tls(*tls_, settings_.host, settings_.verify);
    }
    if (io.timed_out()) ec = asio::error::timed_out;
    if (ec) continue;
    io.never_expires();
    co_return connection;
  }
  resolved_until_ = {};  // the host may have moved
  co_return ec;
}

task<result<std::vector<asio::ip::tcp::endpoint>>> upstream_pool::resolve() {
  if (resolved_until_ > deadlines_.now()) co_return resolved_;
  error_code ec;
  const auto address = asio::ip::make_address(settings_.host, ec);
  if (!ec) {
    co_return std::vector<asio::ip::tcp::endpoint>{{address, settings_.port}};
  }
  asio::ip::basic_resolver<asio::ip::tcp, io_executor> names{context_.get_executor()};
  const auto found = co_await names.async_resolve(settings_.host, std::to_string(settings_.port),
                                                  asio::redirect_error(use_task, ec));
  if (ec) co_return ec;
  resolved_.clear();
  for (const auto& entry : found) resolved_.push_back(entry.endpoint());
  resolved_until_ = deadlines_.now() + resolution_lifetime;
  co_return resolved_;
}

}  // namespace tollgate::proxy
