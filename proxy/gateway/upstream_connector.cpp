#include "proxy/gateway/upstream_connector.hpp"

#include <cerrno>
#include <stdexcept>

#include <boost/asio/ssl/error.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/setting_error.hpp"
#include "proxy/net/connection_race.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::chrono::seconds resolution_lifetime{30};

// What all attempts of one connection have in common.
struct attempt_terms {
  asio::io_context& context;
  deadline_list& deadlines;
  const config::upstream_settings& settings;
  asio::ssl::context* tls;
  std::chrono::milliseconds timeout;
  steady_time begun;
};

class upstream_attempt final : public connection_attempt {
 public:
  upstream_attempt(const attempt_terms& terms, const asio::ip::tcp::endpoint& to)
      : terms_{terms}, to_{to} {}

  task<error_code> connect(std::function<void()> accepted) override {
    if (closed_) co_return asio::error::operation_aborted;
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(
        terms_.deadlines.now() - terms_.begun);
    if (waited >= terms_.timeout) co_return asio::error::timed_out;
    made_ = std::make_unique<upstream_connection>(tcp_socket{terms_.context.get_executor()},
                                                  terms_.deadlines);
    auto& io = made_->io;
    io.expires_after(terms_.timeout - waited);
    error_code ec;
    co_await io.socket().async_connect(to_, asio::redirect_error(use_task, ec));
    if (!ec && !io.is_open()) ec = asio::error::operation_aborted;
    if (!ec) ec = co_await begin(accepted);
    if (io.timed_out()) ec = asio::error::timed_out;
    io.never_expires();
    co_return ec;
  }
  void close() override {
    closed_ = true;
    if (made_) made_->io.close();
  }
  upstream_lease take() { return std::move(made_); }

 private:
  task<error_code> begin(const std::function<void()>& accepted) {
    auto& io = made_->io;
    error_code ignored;
    io.socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
    io.socket().non_blocking(true, ignored);
    io.probe_peer();  // an answer may take an hour
    if (terms_.tls == nullptr) co_return error_code{};
    accepted();
    const auto ec =
        co_await io.connect_tls(*terms_.tls, terms_.settings.host, terms_.settings.verify);
    // A peer that hangs up during the handshake does not want TLS, or not ours.
    const bool hung_up = ec == asio::error::eof || ec == asio::error::connection_reset ||
                         ec == asio::error::broken_pipe;
    if (hung_up) co_return asio::ssl::error::make_error_code(asio::ssl::error::stream_truncated);
    co_return ec;
  }

  const attempt_terms& terms_;
  const asio::ip::tcp::endpoint to_;
  upstream_lease made_;
  bool closed_ = false;
};

// Of the last system call.
error_code error_of_call() {
  return {errno, boost::system::system_category()};
}

// A transport uses its socket by the descriptor only, so it may be one of another family.
error_code open_unix_socket(tcp_socket& socket) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return error_of_call();
  error_code ec;
  socket.assign(asio::ip::tcp::v4(), fd, ec);
  if (ec) {
    ::close(fd);
    return ec;
  }
  socket.non_blocking(true, ec);
  return ec;
}

error_code connect_unix_socket(int fd, const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, sizeof to.sun_path - 1);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return {};
  return error_of_call();
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

upstream_connector::upstream_connector(asio::io_context& context, deadline_list& deadlines,
                                       const config::upstream_settings& settings,
                                       std::chrono::milliseconds timeout)
    : context_{context},
      deadlines_{deadlines},
      settings_{settings},
      timeout_{timeout},
      tls_{make_upstream_tls(settings)},
      lookup_changed_{context.get_executor()} {
  lookup_changed_.expires_at(steady_time::max());
}

task<result<upstream_lease>> upstream_connector::connect(connect_interest& who) {
  if (!settings_.unix_path.empty()) co_return co_await connect_to_unix_socket(who);
  const auto found = co_await resolve(who);
  if (!found) co_return found.error();
  if (!who.is_there()) co_return asio::error::operation_aborted;
  const auto to = memory_.in_order(*found, deadlines_.now());
  const attempt_terms terms{context_,   deadlines_, settings_,
                            tls_.get(), timeout_,   deadlines_.now()};
  std::vector<std::unique_ptr<connection_attempt>> attempts;
  std::vector<upstream_attempt*> made;
  for (const auto& each : to) {
    auto attempt = std::make_unique<upstream_attempt>(terms, each);
    made.push_back(attempt.get());
    attempts.push_back(std::move(attempt));
  }
  const auto race = std::make_shared<connection_race>(context_.get_executor(), std::move(attempts));
  who.at_end([race] { race->stop(); });
  const auto won = co_await race->run();
  who.at_end(nullptr);
  for (std::size_t i = 0; who.is_there() && i < to.size(); ++i) {
    if (race->did_not_answer(i)) memory_.did_not_answer(to[i], deadlines_.now());
  }
  if (!won) {
    if (who.is_there()) resolved_until_ = {};  // the host may have moved
    co_return won.error();
  }
  memory_.answered(to[*won]);
  co_return made[*won]->take();
}

// The system connects to a unix socket at once, or says that its queue is full.
task<result<upstream_lease>> upstream_connector::connect_to_unix_socket(
    const connect_interest& who) {
  auto made =
      std::make_unique<upstream_connection>(tcp_socket{context_.get_executor()}, deadlines_);
  auto ec = open_unix_socket(made->io.socket());
  const auto begun = deadlines_.now();
  while (!ec) {
    ec = connect_unix_socket(made->io.socket().native_handle(), settings_.unix_path);
    if (ec != asio::error::try_again) break;
    if (deadlines_.now() - begun >= timeout_) co_return asio::error::timed_out;
    if (!who.is_there()) co_return asio::error::operation_aborted;
    ec = {};
    co_await sleep_for(context_.get_executor(), std::chrono::milliseconds{10});
  }
  if (ec) co_return ec;
  co_return made;
}

task<result<upstream_connector::endpoints>> upstream_connector::resolve(connect_interest& who) {
  if (resolved_until_ > deadlines_.now()) co_return resolved_;
  error_code ec;
  const auto address = asio::ip::make_address(settings_.host, ec);
  if (!ec) co_return endpoints{{address, settings_.port}};
  if (looking_up_) co_return co_await wait_for_lookup(who);
  co_await look_up_and_tell();
  co_return looked_up_;
}

task<result<upstream_connector::endpoints>> upstream_connector::wait_for_lookup(
    connect_interest& who) {
  who.at_end([this] { lookup_changed_.cancel(); });
  while (looking_up_ && who.is_there()) {
    error_code cancelled;
    co_await lookup_changed_.async_wait(asio::redirect_error(use_task, cancelled));
  }
  who.at_end(nullptr);
  if (!who.is_there()) co_return error_code{asio::error::operation_aborted};
  co_return looked_up_;
}

// It goes on when its caller has lost interest: others may wait for it.
task<> upstream_connector::look_up_and_tell() {
  const struct at_end {
    upstream_connector& of;
    ~at_end() {
      of.looking_up_ = false;
      of.lookup_changed_.cancel();
    }
  } telling{*this};
  looking_up_ = true;
  looked_up_ = error_code{asio::error::no_memory};  // if the lookup throws
  auto looking_up = look_up_by_ ? look_up_by_() : look_up();
  looked_up_ = co_await std::move(looking_up);
  if (looked_up_) {
    resolved_ = *looked_up_;
    resolved_until_ = deadlines_.now() + resolution_lifetime;
  } else if (!resolved_.empty()) {
    looked_up_ = resolved_;  // better than none
  }
}

task<result<upstream_connector::endpoints>> upstream_connector::look_up() {
  error_code ec;
  asio::ip::basic_resolver<asio::ip::tcp, io_executor> names{context_.get_executor()};
  const auto found = co_await names.async_resolve(settings_.host, std::to_string(settings_.port),
                                                  asio::redirect_error(use_task, ec));
  if (ec) co_return ec;
  co_return endpoints{found.begin(), found.end()};
}

}  // namespace tollgate::proxy
