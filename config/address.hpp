// Addresses of listeners, upstreams and the store.
#pragma once

#include <optional>

#include "config/reader.hpp"
#include "config/settings.hpp"

namespace tollgate::config {

// `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; port 0 lets the system choose.
std::optional<endpoint> read_endpoint(context& in, const node& from);

// Splits `https://host[:port][/base/path]` into tls, host, port and base_path, or, as nginx does,
// `http://unix:/path/of/socket[:/base/path]`, whose host is "localhost".
struct upstream_url {
  bool tls = false;
  std::string host;
  std::uint16_t port = 80;
  std::string unix_path;
  std::string base_path;
};
std::optional<upstream_url> read_upstream_url(context& in, const node& from);

// Whether a host looks private: an address that is not public, a name without a dot, or a name in a
// domain that is private by convention. Names are not resolved.
bool is_private_host(const std::string& host);

// The URL of a payment endpoint, unchanged, with its query if `with_query`. It must be https://, or
// http:// to this machine: it carries secrets.
struct payment_url {
  std::string text;
  bool tls = false;
};
std::optional<payment_url> read_payment_url(context& in, const node& from, bool with_query);

// `embedded:DIR`, `redis://[user:password@]host[:port][/database]`, `unix:///path`.
std::optional<std::string> read_store_url(context& in, const node& from);

}  // namespace tollgate::config
