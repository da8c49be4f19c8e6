// Causes of errors.
#include "proxy/gateway/upstream_failure.hpp"

#include <set>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <gtest/gtest.h>

#include "proxy/net/transport.hpp"

namespace tollgate::proxy {
namespace {

TEST(upstream_causes, have_names) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < upstream_cause_count; ++i) {
    names.insert(to_string(static_cast<upstream_cause>(i)));
  }
  EXPECT_EQ(names.size(), upstream_cause_count);
  EXPECT_EQ(to_string(upstream_cause::other), "other");
  EXPECT_EQ(to_string(upstream_cause::untrusted_certificate), "untrusted_certificate");
}

TEST(upstream_causes, of_errors) {
  namespace error = asio::error;
  namespace errc = boost::system::errc;
  const auto of = [](error_code ec) { return to_string(cause_of_no_connection(ec)); };
  EXPECT_EQ(of({}), "none");
  EXPECT_EQ(of(error::host_not_found), "unknown_host");
  EXPECT_EQ(of(error::no_data), "unknown_host");
  EXPECT_EQ(of(error::service_not_found), "unknown_host");
  EXPECT_EQ(of(error::host_not_found_try_again), "resolver_failed");
  EXPECT_EQ(of(error::connection_refused), "refused");
  EXPECT_EQ(of(error::connection_reset), "reset");
  EXPECT_EQ(of(error::network_unreachable), "unreachable");
  EXPECT_EQ(of(error::host_unreachable), "unreachable");
  EXPECT_EQ(of(error::timed_out), "timeout_connect");
  EXPECT_EQ(of(error::no_descriptors), "no_descriptors");
  EXPECT_EQ(of(errc::make_error_code(errc::no_such_file_or_directory)), "no_socket");
  EXPECT_EQ(of(errc::make_error_code(errc::permission_denied)), "no_socket");
  EXPECT_EQ(of(errc::make_error_code(errc::io_error)), "other");
  EXPECT_EQ(of(asio::ssl::error::stream_truncated), "tls_error");
  EXPECT_EQ(of({1, error::get_ssl_category()}), "tls_error");
  EXPECT_EQ(of({X509_V_ERR_CERT_HAS_EXPIRED, certificate_category()}), "untrusted_certificate");
  EXPECT_EQ(to_string(cause_of_end(error::eof)), "closed");
  EXPECT_EQ(to_string(cause_of_end(error::connection_reset)), "reset");
  EXPECT_EQ(to_string(cause_of_end(error::timed_out)), "reset");
  EXPECT_EQ((error_code{X509_V_ERR_CERT_HAS_EXPIRED, certificate_category()}.message()),
            "certificate has expired");
}

}  // namespace
}  // namespace tollgate::proxy
