#include "proxy/gateway/location.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

config::upstream_settings upstream(std::string host, std::uint16_t port, bool tls = false,
                                   std::string base = "") {
  config::upstream_settings out;
  out.host = std::move(host);
  out.port = port;
  out.tls = tls;
  out.base_path = std::move(base);
  return out;
}

std::string seen(const std::string& value, const config::upstream_settings& from,
                 const std::string& field = "Location") {
  return location_for_client(field, value, from);
}

TEST(location, of_the_upstreams_own_origin_becomes_a_path_here) {
  const auto plain = upstream("up.internal", 9000);
  EXPECT_EQ(seen("http://up.internal:9000/v1/x/?a=b#c", plain), "/v1/x/?a=b#c");
  EXPECT_EQ(seen("HTTP://UP.internal:9000/v1", plain), "/v1");
  EXPECT_EQ(seen("http://up.internal:9000", plain), "/");
  EXPECT_EQ(seen("http://up.internal:9000?a", plain), "/?a");
  EXPECT_EQ(seen("//up.internal:9000/v1", plain), "/v1");
  EXPECT_EQ(seen("http://up.internal/v1", plain), "/v1");   // without its port
  EXPECT_EQ(seen("https://up.internal/v1", plain), "/v1");  // as seen through TLS
  EXPECT_EQ(seen("http://up.internal:9000//evil.example/x", plain), "/evil.example/x");
  const auto tls = upstream("up.internal", 443, true);
  EXPECT_EQ(seen("https://up.internal/v1", tls), "/v1");
  EXPECT_EQ(seen("https://up.internal:443/v1", tls), "/v1");
  EXPECT_EQ(seen("http://up.internal/v1", tls),
            "/v1");  // it does not know of the TLS in front of it
  EXPECT_EQ(seen("http://[::1]:9000/v1", upstream("::1", 9000)), "/v1");
}

TEST(location, of_anybody_else_stays) {
  const auto plain = upstream("up.internal", 9000);
  for (const std::string value :
       {"https://files.example.com/x", "http://up.internal:9001/v1", "http://up.internal.evil/x",
        "http://up.internal:9000@evil/x", "http://up.internal:9000x/",
        "http://user@up.internal:9000/x", "/v1/x", "v1/x", "../x", "", "http:", "http://",
        "mailto:a@b", "//other/x"}) {
    EXPECT_EQ(seen(value, plain), value);
  }
}

TEST(location, loses_the_base_path) {
  const auto based = upstream("up.internal", 9000, false, "/api");
  EXPECT_EQ(seen("http://up.internal:9000/api/v1/x", based), "/v1/x");
  EXPECT_EQ(seen("http://up.internal:9000/api", based), "/");
  EXPECT_EQ(seen("/api/v1/x?y", based), "/v1/x?y");
  for (const std::string value :
       {"http://up.internal:9000/other", "http://up.internal:9000/apis/x", "/v1/x", "/apis"}) {
    EXPECT_EQ(seen(value, based), value);
  }
}

TEST(location, stands_in_three_fields) {
  const auto plain = upstream("up.internal", 9000);
  EXPECT_TRUE(shows_location("location") && shows_location("Content-Location") &&
              shows_location("REFRESH"));
  EXPECT_FALSE(shows_location("Link"));
  EXPECT_EQ(seen("5; url=http://up.internal:9000/x", plain, "Refresh"), "5; url=/x");
  EXPECT_EQ(seen("5", plain, "Refresh"), "5");
}

}  // namespace
}  // namespace tollgate::proxy
