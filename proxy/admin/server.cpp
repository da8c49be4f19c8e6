#include "proxy/admin/server.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <spdlog/spdlog.h>

#include "proxy/admin/dashboard/dashboard.hpp"
#include "proxy/admin/dashboard/files.hpp"
#include "proxy/admin/pages.hpp"
#include "proxy/net/api/connections.hpp"
#include "proxy/net/api/http_message.hpp"
#include "proxy/net/api/stream_answer.hpp"
#include "proxy/net/memory_budget.hpp"
#include "proxy/net/no_throw.hpp"
#include "quota/ids.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using stream = tcp_stream;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;
using request_parser = http::request_parser<http::string_body>;

dashboard::browser_fields browser_of(const http_request& head) {
  const auto field = [&](auto name) { return std::string{head[name]}; };
  return {.cookie = field(http::field::cookie),
          .csrf = field("X-Tollgate-CSRF"),
          .origin = field(http::field::origin),
          .fetch_site = field("Sec-Fetch-Site"),
          .host = field(http::field::host)};
}

// The page marks its own requests while the user is inactive.
dashboard::session_use use_of(const request_parser& parser) {
  const bool watches = parser.get().find("X-Tollgate-Watch") != parser.get().end();
  return watches ? dashboard::session_use::watch : dashboard::session_use::call;
}

std::uint64_t most_of_body(const request_parser& parser, const server_limits& limits) {
  if (parser.chunked()) return limits.body_bytes;
  return std::min<std::uint64_t>(parser.content_length().value_or(0), limits.body_bytes);
}

}  // namespace

struct server::impl : std::enable_shared_from_this<server::impl> {
  impl(asio::io_context& io_context, const config::endpoint& listen, server_options given)
      : context{io_context},
        options{std::move(given)},
        events{context.get_executor(),
               options.services.ledger,
               options.services.history,
               // Streams do not keep out other calls.
               {.streams = options.limits.connections / 2}},
        api{options.services, &events},
        browsers{dashboard_services()},
        clients{listen_on(context, "admin.listen", to_tcp(listen)), options.limits.connections} {}

  task<> serve(std::shared_ptr<connection> connection);
  task<bool> serve_one(std::shared_ptr<connection> connection, beast::flat_buffer& buffer);
  task<> stream_events(std::shared_ptr<connection> connection, const request_parser& parser,
                       api_response answer, const api_request& request);
  task<std::optional<api_response>> receive(connection& connection, beast::flat_buffer& buffer,
                                            request_parser& parser, api_request& request);
  task<api_response> answer(api_request request, dashboard::browser_fields browser);
  std::optional<api_response> page(const api_request& request, std::string_view if_none_match);
  task<std::optional<api_error>> authorize(const request_parser& parser, const api_request& request,
                                           dashboard::session_use use);
  dashboard::dashboard_services dashboard_services();
  task<error_code> read_body(stream& connection, beast::flat_buffer& buffer,
                             request_parser& parser);

  asio::io_context& context;
  server_options options;
  event_feed events;
  admin_api api;
  dashboard::dashboard browsers;
  connections clients;
  quota::random_id_source ids;
};

// Pages without a token. They take no body.
std::optional<api_response> server::impl::page(const api_request& request,
                                               std::string_view if_none_match) {
  if (request.method != "GET" && request.method != "HEAD") return {};
  if (auto monitoring = monitoring_page(options.pages, request)) return monitoring;
  return dashboard::file_response(request.path, if_none_match);
}

dashboard::dashboard_services server::impl::dashboard_services() {
  return {.directory = options.services.directory,
          .admin_token = [this] { return options.services.configuration()->values.admin.token; },
          .now = [] { return std::chrono::steady_clock::now(); },
          .pause = [this](std::chrono::milliseconds time) -> task<> {
            timer pause{context, time};
            error_code ec;
            co_await pause.async_wait(no_throw(ec));
          }};
}

// Accepts the token, the cookie of a browser that has logged in with it, or an API key.
task<std::optional<api_error>> server::impl::authorize(const request_parser& parser,
                                                       const api_request& request,
                                                       dashboard::session_use use) {
  auto browser = browser_of(parser.get());
  const auto token = parser.get()[http::field::authorization];
  if (token.empty() && !dashboard::session_id_in(browser.cookie).empty()) {
    co_return co_await browsers.authorize(std::move(browser), request.method, request.path, use);
  }
  co_return api.authorize({token.data(), token.size()});
}

task<error_code> server::impl::read_body(stream& connection, beast::flat_buffer& buffer,
                                         request_parser& parser) {
  error_code ec;
  connection.expires_after(options.limits.body_timeout);
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    http::response<http::empty_body> go_on{http::status::continue_, 11};
    co_await http::async_write(connection, go_on, no_throw(ec));
    if (ec) co_return ec;
  }
  co_await http::async_read(connection, buffer, parser, no_throw(ec));
  co_return ec;
}

// Answers requests that need no body; otherwise reads the body. Bodies of unauthorized callers are
// not stored, except for the few bytes of a browser's login.
task<std::optional<api_response>> server::impl::receive(connection& connection,
                                                        beast::flat_buffer& buffer,
                                                        request_parser& parser,
                                                        api_request& request) {
  const auto etag = parser.get()[http::field::if_none_match];
  if (auto response = page(request, {etag.data(), etag.size()})) co_return response;
  if (request.path == dashboard::dashboard::session_path) {
    parser.body_limit(dashboard::dashboard::max_login_bytes);
  } else if (const auto error = co_await authorize(parser, request, use_of(parser))) {
    co_return failure(*error, request.request_id);
  } else {
    connection.trusted = true;
  }
  auto browser = browser_of(parser.get());
  browser.address = connection.address;
  memory_loan memory{memory_budget::shared()};
  if (!memory.grow(most_of_body(parser, options.limits)))
    co_return failure(no_memory("body"), request.request_id);
  if (const auto ec = co_await read_body(connection.socket, buffer, parser)) {
    if (const auto error = refusal(ec)) co_return failure(*error, request.request_id);
    co_return std::nullopt;
  }
  request.body = std::move(parser.get().body());
  co_return co_await answer(request, std::move(browser));
}

task<api_response> server::impl::answer(api_request request, dashboard::browser_fields browser) {
  const auto method = request.method, path = request.path, id = request.request_id;
  // An open page polls every second, which is not worth a log line each time.
  const bool looks = method == "GET" && !dashboard::session_id_in(browser.cookie).empty();
  api_response response;
  try {
    if (path == dashboard::dashboard::session_path) {
      response = co_await browsers.handle_session(std::move(request), std::move(browser));
    } else {
      response = co_await api.handle(std::move(request));
    }
  } catch (const std::exception& error) {
    spdlog::error("admin {} {} request_id={}: {}", method, path, id, error.what());
    response = failure(internal_error(), id);
  }
  const auto level = looks && response.status < 400 ? spdlog::level::debug : spdlog::level::info;
  spdlog::log(level, "admin {} {} {} request_id={}", method, path, response.status, id);
  co_return response;
}

// True: the connection can take another request.
task<bool> server::impl::serve_one(std::shared_ptr<connection> connection,
                                   beast::flat_buffer& buffer) {
  auto& socket = connection->socket;
  request_parser parser;
  parser.header_limit(static_cast<std::uint32_t>(options.limits.head_bytes));
  parser.body_limit(options.limits.body_bytes);
  error_code ec;
  socket.expires_after(options.limits.head_timeout);
  co_await http::async_read_header(socket, buffer, parser, no_throw(ec));
  connection->busy = true;
  auto request = to_api(parser.get(), ids.next_hex128());
  std::optional<api_response> response;
  if (!ec) {
    response = co_await receive(*connection, buffer, parser, request);
  } else if (const auto error = refusal(ec)) {
    response = failure(*error, request.request_id);
  }
  if (!response) co_return false;
  if (response->source) {
    co_await stream_events(connection, parser, *std::move(response), request);
    co_return false;
  }
  // The unread rest of a body would be read as the next request.
  const bool keep_alive =
      !ec && parser.is_done() && parser.get().keep_alive() && !clients.stopped();
  const auto message = to_http(std::move(*response), request, keep_alive);
  http::serializer<false, http::string_body> serializer{message};
  socket.expires_after(options.limits.write_timeout);
  co_await http::async_write(socket, serializer, no_throw(ec));
  connection->busy = connection->trusted = false;
  co_return keep_alive && !ec && !clients.stopped();
}

// Streams until the token or session that opened it ends, or the process stops.
task<> server::impl::stream_events(std::shared_ptr<connection> connection,
                                   const request_parser& parser, api_response answer,
                                   const api_request& request) {
  const auto is_welcome = [&]() -> task<bool> {
    const auto refused = co_await authorize(parser, request, dashboard::session_use::watch);
    co_return !refused || refused->status == 503;  // 503: unknown
  };
  std::shared_ptr<tcp_stream> socket{connection, &connection->socket};
  stream_rules rules{options.limits.write_timeout, is_welcome};
  co_await send_stream(std::move(socket), std::move(answer), request, parser.get().version(),
                       std::move(rules));
}

task<> server::impl::serve(std::shared_ptr<connection> connection) {
  beast::flat_buffer buffer{options.limits.head_bytes + options.limits.body_bytes};
  while (co_await serve_one(connection, buffer)) {
  }
  co_await end_connection(connection->socket, buffer);
}

server::server(asio::io_context& context, const config::endpoint& listen, server_options options)
    : impl_{std::make_shared<impl>(context, listen, std::move(options))} {}

server::~server() {
  stop();
}

void server::start() {
  auto accepting = [self = impl_]() -> task<> {
    const auto serve = [self](std::shared_ptr<connection> each) {
      return self->serve(std::move(each));
    };
    co_await self->clients.accept(serve);
  };
  asio::co_spawn(impl_->context, std::move(accepting), asio::detached);
}

void server::end_streams() {
  impl_->events.close();
}

void server::stop() {
  impl_->events.close();
  impl_->clients.stop();
}

asio::ip::tcp::endpoint server::local_endpoint() const {
  return impl_->clients.local_endpoint();
}

}  // namespace tollgate::proxy::admin
