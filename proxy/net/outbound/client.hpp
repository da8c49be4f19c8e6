// One outbound HTTP request under one deadline, for payments and webhooks: no pooled connections,
// no retries, no redirects.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>

#include "proxy/net/outbound/name_resolver.hpp"
#include "proxy/net/outbound/url.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::outbound {

struct request {
  std::string method = "POST";
  std::string target;
  std::vector<std::pair<std::string, std::string>>
      fields;  // Host and Content-Length not among them
  std::string body;
  bool status_only = false;  // the answer's body is not read
  std::size_t max_answer_bytes = 64 * 1024;
  std::string on_behalf_of;  // whose name lookups wait for each other
};

struct reply {
  int status = 0;
  std::string body;
  bool replayed = false;  // Idempotent-Replayed: true: the other side remembers it by our key
};

enum class client_errc {
  refused_address = 1,  // the host has no address that may be connected to
};
error_code make_error_code(client_errc);

class client {
 public:
  using address_rule = std::function<bool(const asio::ip::address&)>;

  // `ca_file`: whom to trust; empty: the system's. Throws std::runtime_error when it cannot be
  // used. `may_connect` is asked about every address that a name turns out to have; none: any will
  // do. `names` looks names up; none: Asio does.
  explicit client(const std::string& ca_file, address_rule may_connect = {},
                  name_resolver* names = nullptr);

  // An error says why there is no answer: the other side may have got the request all the same.
  task<result<reply>> send(url to, request what, std::chrono::steady_clock::time_point give_up);

 private:
  using time = std::chrono::steady_clock::time_point;
  // Those of `to` that may be connected to; at least one.
  task<result<std::vector<asio::ip::tcp::endpoint>>> addresses(const url& to, std::string whose,
                                                               time give_up);

  asio::ssl::context tls_{asio::ssl::context::tls_client};
  const address_rule may_connect_;
  name_resolver* const names_;
};

}  // namespace tollgate::proxy::outbound

template <>
struct boost::system::is_error_code_enum<tollgate::proxy::outbound::client_errc> : std::true_type {
};
