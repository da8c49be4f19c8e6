#include "proxy/cli/admin_client.hpp"

#include <array>
#include <exception>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "config/load.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using resolver = asio::ip::basic_resolver<tcp, io_executor>;
using stream = beast::basic_stream<tcp, io_executor>;
using http_request = http::request<http::string_body>;
using http_response = http::response<http::string_body>;

constexpr auto answer_timeout = std::chrono::seconds{30};
constexpr auto quiet = std::chrono::seconds{45};  // three times the longest pause of a stream
constexpr std::uint64_t largest_answer = 256 * 1024 * 1024;  // a report has at most 50,000 rows

struct location {
  std::string host = "127.0.0.1", port = "8081";
};

std::variant<location, command_error> parse_url(const std::string& text) {
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed || parsed->scheme() != "http" || parsed->host().empty() ||
      (!parsed->encoded_path().empty() && parsed->encoded_path() != "/")) {
    return command_error{"the admin address must be http://HOST:PORT, not " + text, 2};
  }
  return location{std::string{parsed->host_address()},
                  parsed->has_port() ? std::string{parsed->port()} : "80"};
}

// The address at which a listener can be reached from this machine.
location reachable(const config::endpoint& listen) {
  const bool any = listen.host == "0.0.0.0", any_v6 = listen.host == "::";
  return {any ? "127.0.0.1" : any_v6 ? "::1" : listen.host, std::to_string(listen.port)};
}

std::string every(const std::vector<config::config_error>& errors) {
  std::string out;
  for (const auto& error : errors) out += (out.empty() ? "" : "\n") + to_string(error);
  return out;
}

// Sends the request; `answer_timeout` applies from now on.
task<void> ask(stream& connection, const std::string& host, const std::string& port,
               const http_request& request) {
  resolver names{connection.get_executor()};
  connection.expires_after(answer_timeout);
  co_await connection.async_connect(co_await names.async_resolve(host, port, use_task), use_task);
  co_await http::async_write(connection, request, use_task);
}

task<http_response> exchange(const std::string& host, const std::string& port,
                             const http_request& request) {
  stream connection{co_await asio::this_coro::executor};
  co_await ask(connection, host, port, request);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(largest_answer);
  co_await http::async_read(connection, buffer, parser, use_task);
  co_return parser.release();
}

template <class T>
T run(task<T> work) {
  asio::io_context context;
  std::optional<T> out;
  std::exception_ptr failure;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, T value) {
    failure = thrown;
    out = std::move(value);
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*out);
}

struct stream_head {
  int status = 0;
  std::string body;  // of an answer that is not a stream
};

// Passes on every complete block, and keeps the rest.
void take_blocks(std::string& text, const admin_client::block_taker& take) {
  constexpr std::string_view end_of_block = "\n\n";
  for (auto end = text.find(end_of_block); end != text.npos; end = text.find(end_of_block)) {
    take(std::string_view{text}.substr(0, end));
    text.erase(0, end + end_of_block.size());
  }
}

task<stream_head> read_stream(std::string host, std::string port, http_request request,
                              admin_client::block_taker take) {
  stream connection{co_await asio::this_coro::executor};
  co_await ask(connection, host, port, request);
  beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  co_await http::async_read_header(connection, buffer, parser, use_task);
  stream_head head{static_cast<int>(parser.get().result_int()), {}};
  std::array<char, 16 * 1024> piece;
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    connection.expires_after(quiet);
    error_code ec;
    co_await http::async_read_some(connection, buffer, parser, asio::redirect_error(use_task, ec));
    if (ec && ec != http::error::need_buffer) throw boost::system::system_error{ec};
    head.body.append(piece.data(), piece.size() - parser.get().body().size);
    if (head.status == 200) take_blocks(head.body, take);
  }
  co_return head;
}

command_error refusal(int status, const admin::json_value* error) {
  const auto* message = error != nullptr ? error->find("message") : nullptr;
  if (message == nullptr)
    return {"not an answer of the admin API (status " + std::to_string(status) + ")"};
  std::string text = message->text;
  if (status == 401 || status == 403) {
    text += " (set TOLLGATE_ADMIN_TOKEN, or give --config FILE)";
  }
  return {std::move(text)};
}

// `<?after=...>; rel="next"`, resolved relative to the page's address.
std::string next_page(const std::string& target, std::string_view link) {
  constexpr std::string_view end = ">; rel=\"next\"";
  if (!link.starts_with("<?") || !link.ends_with(end)) return {};
  link.remove_prefix(1);
  link.remove_suffix(end.size());
  return target.substr(0, target.find('?')).append(link);
}

command_error no_answer(const std::string& where, error_code ec) {
  return {"no answer from the admin API at http://" + where + ": " + ec.message() +
          "\nIs Tollgate running there? Set its address with --config FILE or --admin URL."};
}

}  // namespace

std::variant<admin_client, command_error> admin_client::open(const admin_client_options& options) {
  admin_client client;
  location where;
  if (!options.config.empty()) {
    const auto loaded = config::load_file(options.config, options.env);
    if (const auto* errors = std::get_if<std::vector<config::config_error>>(&loaded)) {
      return command_error{every(*errors), 2};
    }
    const auto& admin = std::get<config::configuration>(loaded).values.admin;
    where = reachable(admin.listen);
    client.token_ = admin.token;
  }
  if (const auto token = options.env("TOLLGATE_ADMIN_TOKEN")) client.token_ = *token;
  // A given file determines the address; the environment's address applies only without one.
  auto url = options.url;
  if (url.empty() && options.config.empty()) url = options.env("TOLLGATE_ADMIN_URL").value_or("");
  if (!url.empty()) {
    auto parsed = parse_url(url);
    if (auto* error = std::get_if<command_error>(&parsed)) return std::move(*error);
    where = std::get<location>(std::move(parsed));
  }
  client.host_ = std::move(where.host);
  client.port_ = std::move(where.port);
  return client;
}

std::variant<admin_client::reply, command_error> admin_client::send(
    std::string_view method, const std::string& target, const std::string& body,
    const std::vector<std::pair<std::string, std::string>>& headers) const {
  http_request request{http::string_to_verb({method.data(), method.size()}), target, 11};
  request.set(http::field::host, here());
  request.set(http::field::connection, "close");
  if (!token_.empty()) request.set(http::field::authorization, "Bearer " + token_);
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : headers) request.set(name, value);
  request.body() = body;
  request.prepare_payload();
  try {
    auto response = run(exchange(host_, port_, request));
    const auto link = response[http::field::link];
    return reply{static_cast<int>(response.result_int()), std::move(response.body()),
                 std::string{link.data(), link.size()}};
  } catch (const boost::system::system_error& error) {
    return no_answer(here(), error.code());
  }
}

std::string admin_client::here() const {
  const bool v6 = host_.find(':') != host_.npos;
  return (v6 ? "[" + host_ + "]" : host_) + ":" + port_;
}

std::optional<command_error> admin_client::follow(const std::string& target,
                                                  const block_taker& take) const {
  http_request request{http::verb::get, target, 11};
  request.set(http::field::host, here());
  request.set(http::field::accept, "text/event-stream");
  if (!token_.empty()) request.set(http::field::authorization, "Bearer " + token_);
  try {
    const auto head = run(read_stream(host_, port_, std::move(request), take));
    if (head.status == 200) return {};
    const auto answer = admin::read_json(head.body);
    return refusal(head.status, answer ? answer->find("error") : nullptr);
  } catch (const boost::system::system_error& error) {
    return no_answer(here(), error.code());
  }
}

std::variant<admin::json_value, command_error> admin_client::call(
    std::string_view method, const std::string& target, const std::string& body,
    const std::vector<std::pair<std::string, std::string>>& headers, int* status) const {
  const auto sent = send(method, target, body, headers);
  if (const auto* error = std::get_if<command_error>(&sent)) return *error;
  const auto& response = std::get<reply>(sent);
  if (status != nullptr) *status = response.status;
  auto answer = admin::read_json(response.body);
  const auto* data = answer ? answer->find("data") : nullptr;
  if (response.status / 100 == 2 && data != nullptr) return *data;
  return refusal(response.status, answer ? answer->find("error") : nullptr);
}

std::variant<std::string, command_error> admin_client::read(const std::string& target,
                                                            const std::string& accept) const {
  auto answer = read_page(target, accept);
  if (auto* error = std::get_if<command_error>(&answer)) return std::move(*error);
  return std::get<page>(std::move(answer)).body;
}

std::variant<admin_client::page, command_error> admin_client::read_page(
    const std::string& target, const std::string& accept) const {
  auto sent = send("GET", target, {}, {{"Accept", accept}});
  if (auto* error = std::get_if<command_error>(&sent)) return std::move(*error);
  auto& response = std::get<reply>(sent);
  if (response.status / 100 == 2) {
    return page{std::move(response.body), next_page(target, response.link)};
  }
  const auto answer = admin::read_json(response.body);
  return refusal(response.status, answer ? answer->find("error") : nullptr);
}

}  // namespace tollgate::proxy
