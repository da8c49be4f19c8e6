#include "proxy/net/outbound/signature.hpp"

#include <gtest/gtest.h>

#include "quota/hex.hpp"

namespace tollgate::proxy::outbound {
namespace {

// RFC 4231, test case 2.
TEST(hmac_sha256, is_that_of_the_rfc) {
  EXPECT_EQ(quota::to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// The example with which implementations of Standard Webhooks are tested.
TEST(webhook_signature, is_that_of_the_specification) {
  const auto key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(webhook_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1'614'265'330,
                              R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(platform_signature, is_of_the_body_alone) {
  EXPECT_EQ(platform_signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(signing_key, decodes_what_says_that_it_is_encoded) {
  EXPECT_EQ(signing_key("whsec_YWJj"), "abc");
  EXPECT_EQ(signing_key("whsec_YWI="), "ab");
  EXPECT_EQ(signing_key("whsec_YQ=="), "a");
}

TEST(signing_key, is_the_text_of_anything_else) {
  for (const char* plain : {"", "YWJj", "a secret", "whsec_", "whsec_no base64", "whsec_YWJ"}) {
    EXPECT_EQ(signing_key(plain), plain);
  }
}

TEST(make_secret, is_a_new_one_of_32_bytes) {
  const auto secret = make_secret();
  EXPECT_TRUE(secret.starts_with("whsec_"));
  EXPECT_EQ(signing_key(secret).size(), 32u);
  EXPECT_NE(secret, make_secret());
}

TEST(signature_fields, have_one_platform_signature_and_a_standard_one_of_every_secret) {
  const std::vector<std::string> secrets{"new", "old"};
  const auto fields = signature_fields(secrets, "evt_1", 1'614'265'330, "{}");
  ASSERT_EQ(fields.size(), 4u);
  EXPECT_EQ(fields[0], (std::pair<std::string, std::string>{"webhook-id", "evt_1"}));
  EXPECT_EQ(fields[1].second, "1614265330");
  EXPECT_EQ(fields[2].second, webhook_signature("new", "evt_1", 1'614'265'330, "{}") + " " +
                                  webhook_signature("old", "evt_1", 1'614'265'330, "{}"));
  EXPECT_EQ(fields[3].second, platform_signature("old", "{}"));
}

}  // namespace
}  // namespace tollgate::proxy::outbound
