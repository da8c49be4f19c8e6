#include "proxy/net/http/field_rules.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

TEST(same_field, takes_underscores_for_dashes) {
  EXPECT_TRUE(same_field("X-Api-Key", "x_api-KEY"));
  EXPECT_FALSE(same_field("X-Api-Key", "X-Api-Keys"));
  EXPECT_FALSE(same_field("X-Api-Key", "XAApi-Key"));
  EXPECT_TRUE(same_field("X-Api-Key", "x.api~KEY"));
  EXPECT_FALSE(same_field("a[", "a{b"));
}

TEST(trailers, carry_nothing_that_frames_routes_authenticates_or_charges) {
  for (const std::string name : {"Content-Length",
                                 "transfer-encoding",
                                 "Host",
                                 "Trailer",
                                 "TE",
                                 "Connection",
                                 "Upgrade",
                                 "Keep-Alive",
                                 "Authorization",
                                 "x-api-key",
                                 "X_Api_Key",
                                 "Proxy-Authorization",
                                 "Cookie",
                                 "Set-Cookie",
                                 "WWW-Authenticate",
                                 "Content-Type",
                                 "Content-Encoding",
                                 "Content-Range",
                                 "Cache-Control",
                                 "Expires",
                                 "Age",
                                 "Date",
                                 "Vary",
                                 "Location",
                                 "Retry-After",
                                 "Range",
                                 "If-Match",
                                 "Expect",
                                 "Max-Forwards",
                                 "Pragma",
                                 "X-HTTP-Method-Override",
                                 "X-Original-URL",
                                 "X-Forwarded-For",
                                 "Forwarded",
                                 "Via",
                                 "X-Request-Id",
                                 "traceparent",
                                 "X-Credits-Charged",
                                 "X-Credits-Remaining",
                                 "RateLimit",
                                 "RateLimit-Policy"}) {
    EXPECT_FALSE(fit_for_trailer(name)) << name;
  }
  for (const std::string name : {"X-Checksum", "Digest", "grpc-status", "Server-Timing", "ETag"}) {
    EXPECT_TRUE(fit_for_trailer(name)) << name;
  }
}

}  // namespace
}  // namespace tollgate::proxy
