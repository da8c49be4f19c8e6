#include "proxy/app/trial.hpp"

#include <cerrno>
#include <filesystem>
#include <functional>
#include <system_error>

#include <unistd.h>

#include "proxy/app/deliveries.hpp"
#include "proxy/gateway/access_log.hpp"
#include "proxy/gateway/runtime.hpp"
#include "proxy/net/acceptor.hpp"
#include "proxy/net/unix_listener.hpp"
#include "quota/redis/embedded_files.hpp"
#include "quota/redis/store_url.hpp"

namespace tollgate::proxy {

namespace {

namespace fs = std::filesystem;
using config::setting_error;

std::string cause_of(int error) {
  return std::generic_category().message(error);
}

// Why files cannot be made in an existing directory: an errno, or 0.
int why_not_writable(const fs::path& directory) {
  std::error_code ec;
  if (!fs::exists(directory, ec)) return ec ? ec.value() : ENOENT;
  if (!fs::is_directory(directory, ec)) return ENOTDIR;
  return ::access(directory.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
}

// Why files cannot be made in the directory, or it cannot be made; empty: they can.
std::string why_no_directory(const std::string& directory) {
  std::error_code ec;
  fs::path at = fs::absolute(directory, ec);
  int error = why_not_writable(at);
  const std::string making =
      error == ENOENT || error == ENOTDIR ? "cannot make the directory: " : "";
  while (!fs::exists(at, ec) && at != at.parent_path()) {
    at = at.parent_path();
    error = why_not_writable(at);
  }
  return error == 0 ? "" : making + cause_of(error);
}

void try_directory(const std::string& key, const std::string& directory) {
  if (directory.empty()) return;
  const auto why = why_no_directory(directory);
  if (!why.empty()) throw setting_error{key, directory + ": " + why};
}

void try_listener(const std::string& key, const config::endpoint& where) {
  if (!where.unix_path.empty()) {
    const auto why = why_no_socket(where.unix_path);
    if (!why.empty()) throw setting_error{key, "unix:" + where.unix_path + ": " + why};
    return;
  }
  asio::io_context context;
  const auto address = to_tcp(where);
  error_code ec;
  acceptor probe{context};
  probe.open(address.protocol(), ec);
  if (!ec) probe.set_option(asio::socket_base::reuse_address{true}, ec);
  if (!ec) probe.bind(address, ec);
  if (ec && ec != asio::error::address_in_use) {
    throw setting_error{key, to_text(address) + ": " + ec.message()};
  }
}

void try_store(const std::string& text) {
  const auto url = quota::redis::parse_store_url(text);
  if (!url) throw setting_error{"store", url.error()};
  if (!url->is_embedded()) return;
  try_directory("store", url->directory);
  if (quota::redis::find_program({"redis-server", "valkey-server"}).empty()) {
    throw setting_error{"store", "redis-server is not installed"};
  }
}

void try_access_log(const std::string& where) {
  if (where == "-" || where == "off") return;
  const auto directory = fs::path{where}.parent_path();
  const bool exists = ::access(where.c_str(), F_OK) == 0;
  const int error = !exists ? why_not_writable(directory.empty() ? "." : directory)
                    : ::access(where.c_str(), W_OK) == 0 ? 0
                                                         : errno;
  if (error != 0) throw setting_error{"log.access", where + ": " + cause_of(error)};
}

}  // namespace

std::vector<setting_error> find_unusable(const config::settings& settings) {
  std::vector<setting_error> found;
  const auto attempt = [&](const std::function<void()>& use) {
    try {
      use();
    } catch (const setting_error& error) {
      found.push_back(error);
    }
  };
  const auto attempt_listener = [&](const char* key, const std::optional<config::endpoint>& where) {
    if (where) attempt([&] { try_listener(key, *where); });
  };
  attempt_listener("listen", settings.listen);
  attempt_listener("admin.listen", settings.admin.listen);
  attempt_listener("metrics.listen", settings.metrics.listen);
  attempt_listener("payments.stripe.listen", settings.payments.events.listen);
  attempt([&] { server_tls(settings); });
  for (const auto& upstream : settings.upstreams) attempt([&] { make_upstream_tls(upstream); });
  attempt([&] { make_payments(settings); });
  attempt([&] { make_webhook_sender(settings, nullptr); });
  attempt([&] { try_store(settings.store.url); });
  if (settings.metering) attempt([&] { try_directory("journal", settings.journal.directory); });
  if (settings.archive.kind == config::archive_kind::files) {
    attempt([&] { try_directory("archive.files", settings.archive.directory); });
  }
  attempt([&] { try_access_log(settings.log.access); });
  return found;
}

std::vector<setting_error> find_doubtful(const config::settings& settings) {
  if (settings.spool.upload_bytes == 0) return {};
  const auto& directory = settings.spool.directory;
  const int error = why_not_writable(directory);
  if (error == 0) return {};
  return {{"audio.spool.directory",
           directory + ": " + cause_of(error) + "; uploads that need it get 503"}};
}

void try_files(const config::settings& settings) {
  for (const auto& upstream : settings.upstreams) make_upstream_tls(upstream);
  config::using_setting("log.access", [&] { access_log{settings.log.access}; });
}

}  // namespace tollgate::proxy
