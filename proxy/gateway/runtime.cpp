#include "proxy/gateway/runtime.hpp"

#include "config/setting_error.hpp"

namespace tollgate::proxy {

namespace {

void refuse(const error_code& ec, const std::string& key, const std::string& file) {
  if (ec) throw config::setting_error{key, file + ": " + ec.message()};
}

}  // namespace

std::shared_ptr<runtime> make_runtime(asio::io_context& context, deadline_list& deadlines,
                                      std::shared_ptr<const config::configuration> config,
                                      std::shared_ptr<asio::ssl::context> tls,
                                      metrics::thread_metrics& counts,
                                      std::shared_ptr<upstream_watch> watch) {
  auto made = std::make_shared<runtime>();
  made->watch = watch ? std::move(watch) : std::make_shared<upstream_watch>();
  made->tls = std::move(tls);
  for (const auto& upstream : config->values.upstreams) {
    made->pools.push_back(
        std::make_unique<upstream_pool>(context, deadlines, upstream, config->values));
    made->owned.emplace_back(config->values, upstream);
  }
  for (const auto& route : config->routes.routes()) {
    std::size_t index = 0;
    while (made->pools[index]->settings().name != route.settings.upstream) ++index;
    made->upstream_of_route.push_back(index);
  }
  made->metrics = counts.bind(*config);
  for (std::size_t i = 0; i < made->pools.size(); ++i) {
    made->pools[i]->count_in(*made->metrics.upstreams[i]);
  }
  made->config = std::move(config);
  return made;
}

std::shared_ptr<asio::ssl::context> server_tls(const config::settings& settings) {
  return settings.tls ? make_server_tls(*settings.tls) : nullptr;
}

std::shared_ptr<asio::ssl::context> make_server_tls(const config::tls_settings& settings) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  error_code ec;
  context->use_certificate_chain_file(settings.certificate, ec);
  refuse(ec, "tls.certificate", settings.certificate);
  context->use_private_key_file(settings.key, asio::ssl::context::pem, ec);
  refuse(ec, "tls.key", settings.key);
  // Only HTTP/1.1 is supported; the handshake rejects a client that insists on anything else.
  SSL_CTX_set_alpn_select_cb(
      context->native_handle(),
      [](SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
         unsigned int in_length, void*) -> int {
        static constexpr unsigned char ours[] = "\x08http/1.1";
        unsigned char* chosen = nullptr;
        if (SSL_select_next_proto(&chosen, out_length, ours, sizeof ours - 1, in, in_length) !=
            OPENSSL_NPN_NEGOTIATED) {
          return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
        *out = chosen;
        return SSL_TLSEXT_ERR_OK;
      },
      nullptr);
  return context;
}

}  // namespace tollgate::proxy
