// One HTTP request to the payment endpoint, under one deadline: a client of its own, because money
// wants none of what the data plane's has for speed. No connection is kept, nothing is repeated, no
// redirect is followed.
#pragma once

#include <chrono>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "proxy/payments/payment_request.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::payments {

struct payment_reply {
  int status = 0;
  std::string body;
};

class payment_client {
 public:
  // Throws boost::system::system_error when `ca_file` cannot be used. Empty: the system's.
  payment_client(payment_address to, const std::string& ca_file);

  // An error says why there is no answer: the endpoint may have got the request all the same.
  task<result<payment_reply>> send(payment_request request,
                                   std::chrono::steady_clock::time_point give_up);

  const payment_address& to() const { return to_; }

 private:
  const payment_address to_;
  asio::ssl::context tls_{asio::ssl::context::tls_client};
};

}  // namespace tollgate::proxy::payments
