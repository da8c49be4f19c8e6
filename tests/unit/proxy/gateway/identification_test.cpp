#include "proxy/gateway/identification.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

std::string written(const config::identify_settings& settings, const identified_caller& caller) {
  std::string out;
  append_identification(out, settings, caller, {"POST", "/v1/x?y=z", 1'700'000'000});
  return out;
}

config::identify_settings on(std::string secret = "") {
  config::identify_settings out;
  out.on = true;
  out.secret = std::move(secret);
  return out;
}

TEST(identification, says_who_pays) {
  EXPECT_EQ(written(on(), {"acme", "key_1", "a1", "c1"}),
            "X-Tollgate-Org: acme\r\nX-Tollgate-Key-Id: key_1\r\nX-Tollgate-Agent: a1\r\n"
            "X-Tollgate-Conversation: c1\r\n");
  EXPECT_EQ(written(on(), {"acme", "key_1", "", ""}),
            "X-Tollgate-Org: acme\r\nX-Tollgate-Key-Id: key_1\r\n");
}

TEST(identification, says_nothing_where_it_is_off_or_nobody_is_known) {
  EXPECT_EQ(written({}, {"acme", "key_1", "a1", "c1"}), "");
  EXPECT_EQ(written(on("secret"), {}), "");
}

TEST(identification, has_the_names_that_are_configured) {
  auto settings = on();
  settings.org = "X-Tenant";
  settings.key_id = settings.agent = "";
  EXPECT_EQ(written(settings, {"acme", "key_1", "a1", "c1"}),
            "X-Tenant: acme\r\nX-Tollgate-Conversation: c1\r\n");
}

// python3 -c 'import hmac; print(hmac.new(b"secret",
// b"1700000000\nPOST\n/v1/x?y=z\nacme\nkey_1\n\nc%25", "sha256").hexdigest())'
TEST(identification, is_signed_with_the_request_line_and_the_time) {
  EXPECT_EQ(written(on("secret"), {"acme", "key_1", "", "c%"}),
            "X-Tollgate-Org: acme\r\nX-Tollgate-Key-Id: key_1\r\nX-Tollgate-Conversation: c%25\r\n"
            "X-Tollgate-Timestamp: 1700000000\r\nX-Tollgate-Signature: v1="
            "44e5735cb0b964e7bb824823cb2188611c7c31a98a747200b9154eedbe13af42\r\n");
}

TEST(identification, sends_what_every_server_reads_alike) {
  EXPECT_EQ(header_value_of("a b"), "a b");
  EXPECT_EQ(header_value_of(" a "), "%20a%20");
  EXPECT_EQ(header_value_of("K\xC3\xB6ln 100%"), "K%C3%B6ln 100%25");
  EXPECT_EQ(header_value_of("\r\n\t\x7f"), "%0D%0A%09%7F");
}

}  // namespace
}  // namespace tollgate::proxy
