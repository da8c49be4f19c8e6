// Errors of certificates that are not trusted; apart, because it needs no event loop.
#include <openssl/x509_vfy.h>

#include "proxy/net/transport.hpp"

namespace tollgate::proxy {

namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // the base keeps its destructor protected

class verification_results final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "tollgate.certificate"; }
  std::string message(int result) const override { return X509_verify_cert_error_string(result); }
};

#pragma GCC diagnostic pop

}  // namespace

const boost::system::error_category& certificate_category() {
  static const verification_results category;
  return category;
}

}  // namespace tollgate::proxy
