// Sends one outbound HTTP request with one deadline, for payments and webhooks: no pooled
// connections, no retries, no redirects.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>

#include "proxy/net/address_memory.hpp"
#include "proxy/net/outbound/name_resolver.hpp"
#include "proxy/net/outbound/url.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::outbound {

struct request {
  std::string method = "POST";
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;  // without Host and Content-Length
  std::string body;
  bool status_only = false;  // do not read the answer's body
  std::size_t max_answer_bytes = 64 * 1024;
  std::string on_behalf_of;  // the party whose name lookups wait for each other
};

struct reply {
  int status = 0;
  std::string body;
  bool replayed = false;  // Idempotent-Replayed: true: the server remembers the request by our key
};

enum class client_errc {
  refused_address = 1,  // the host has no allowed address
};
error_code make_error_code(client_errc);

class client {
 public:
  using address_rule = std::function<bool(const asio::ip::address&)>;

  // `ca_file`: the trusted certificates; empty: the system's. Throws std::runtime_error if it
  // cannot be used. `may_connect` decides about every address of a name; none: all are allowed.
  // `names` resolves names; none: Asio does.
  explicit client(const std::string& ca_file, address_rule may_connect = {},
                  name_resolver* names = nullptr);

  // An error gives the reason why there is no answer; the server may still have received the
  // request.
  task<result<reply>> send(url to, request what, std::chrono::steady_clock::time_point give_up);

 private:
  using time = std::chrono::steady_clock::time_point;
  // The allowed addresses of `to`; at least one.
  task<result<std::vector<asio::ip::tcp::endpoint>>> addresses(const url& to, std::string whose,
                                                               time give_up);

  asio::ssl::context tls_{asio::ssl::context::tls_client};
  const address_rule may_connect_;
  name_resolver* const names_;
  address_memory memory_;
};

}  // namespace tollgate::proxy::outbound

template <>
struct boost::system::is_error_code_enum<tollgate::proxy::outbound::client_errc> : std::true_type {
};
