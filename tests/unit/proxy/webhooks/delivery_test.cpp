#include "proxy/webhooks/delivery.hpp"

#include <gtest/gtest.h>

#include "proxy/net/outbound/signature.hpp"
#include "proxy/webhooks/received.hpp"
#include "tests/support/moments.hpp"

namespace tollgate::proxy::webhooks {
namespace {

using namespace std::chrono_literals;

using tests::noon;

quota::account_event threshold() {
  return {"1767268800000-3", noon, "usage_threshold", "percent 50 used 10000000 of 20000000"};
}

quota::webhook_secret secret(std::string text) {
  quota::webhook_secret out;
  out.text = std::move(text);
  return out;
}

std::string field(const outbound::request& request, std::string_view name) {
  for (const auto& [known, value] : request.fields) {
    if (known == name) return value;
  }
  return "(none)";
}

received as_received(const outbound::request& request) {
  return {field(request, "webhook-id"), field(request, "webhook-timestamp"),
          field(request, "webhook-signature"), request.body};
}

TEST(message_of, is_the_envelope_of_the_event) {
  const auto what = message_of("acme", threshold());
  EXPECT_EQ(what.id, "evt_1767268800000-3-822b33ad87");
  EXPECT_EQ(what.body, R"({"id":"evt_1767268800000-3-822b33ad87","type":"account.usage_threshold",)"
                       R"("created_at":"2026-01-01T12:00:00.000Z","org":"acme",)"
                       R"("data":{"threshold_percent":50,"used_credits":10,"of_credits":20}})");
}

TEST(message_of, keeps_the_bytes_of_a_dead_letter) {
  quota::dead_letter letter;
  letter.event = "1-0";
  letter.body = "{ as it was }";
  EXPECT_EQ(message_of("acme", letter).id, "evt_1-0-822b33ad87");
  EXPECT_EQ(message_of("acme", letter).body, letter.body);
}

TEST(request_of, is_signed_both_ways) {
  const auto to = *outbound::parse_url("https://hooks.example/in?from=tollgate");
  const auto what = message_of("acme", threshold());
  const auto request = request_of(what, to, {secret("whsec_YWJj")}, noon);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/in?from=tollgate");
  EXPECT_EQ(request.body, what.body);
  EXPECT_EQ(field(request, "Content-Type"), "application/json");
  EXPECT_EQ(field(request, "webhook-id"), what.id);
  EXPECT_EQ(field(request, "webhook-timestamp"), "1767268800");
  EXPECT_EQ(field(request, "webhook-signature"),
            outbound::webhook_signature("abc", what.id, 1'767'268'800, what.body));
  EXPECT_EQ(field(request, "X-8bit-Signature-256"), outbound::platform_signature("abc", what.body));
}

TEST(request_of, is_signed_by_both_secrets_while_one_replaces_the_other) {
  const auto to = *outbound::parse_url("https://hooks.example/");
  const auto what = message_of("acme", threshold());
  const auto got = as_received(request_of(what, to, {secret("new"), secret("old")}, noon));
  EXPECT_TRUE(got.signature.starts_with(
      outbound::webhook_signature("new", what.id, 1'767'268'800, what.body) + " v1,"));
  EXPECT_EQ(refuse_delivery(got, "new", noon), "");
  EXPECT_EQ(refuse_delivery(got, "old", noon), "");
  EXPECT_EQ(refuse_delivery(got, "older", noon), "webhook-signature does not match this secret");
}

// Receivers of the platform's header compare it for equality with their only secret.
TEST(request_of, has_one_platform_signature_of_the_oldest_secret_until_that_one_ends) {
  const auto to = *outbound::parse_url("https://hooks.example/");
  const auto what = message_of("acme", threshold());
  auto older = secret("older"), old = secret("old");
  older.until = noon + std::chrono::hours{1};
  old.until = noon + std::chrono::hours{24};
  const auto signed_at = [&](quota::time_point now) {
    return field(request_of(what, to, {secret("new"), old, older}, now), "X-8bit-Signature-256");
  };
  EXPECT_EQ(signed_at(noon), outbound::platform_signature("older", what.body));
  EXPECT_EQ(signed_at(older.until), outbound::platform_signature("old", what.body));
  EXPECT_EQ(signed_at(old.until), outbound::platform_signature("new", what.body));
  const auto late = as_received(request_of(what, to, {secret("new"), old}, old.until));
  EXPECT_EQ(refuse_delivery(late, "old", old.until),
            "webhook-signature does not match this secret");
}

TEST(refuse_delivery, notices_every_change) {
  const auto to = *outbound::parse_url("https://hooks.example/");
  const auto good =
      as_received(request_of(message_of("acme", threshold()), to, {secret("s")}, noon));
  EXPECT_EQ(refuse_delivery(good, "s", noon + 5min), "");
  EXPECT_EQ(refuse_delivery(good, "s", noon - 5min), "");
  for (const auto late : {noon + 5min + 1s, noon - 5min - 1s, noon + 24h}) {
    EXPECT_EQ(refuse_delivery(good, "s", late),
              "webhook-timestamp is more than five minutes away from this clock");
  }
  for (auto member : {&received::id, &received::timestamp, &received::signature}) {
    auto bad = good;
    (bad.*member).clear();
    EXPECT_EQ(refuse_delivery(bad, "s", noon),
              "webhook-id, webhook-timestamp or webhook-signature is missing");
  }
  for (auto member : {&received::id, &received::body}) {
    auto bad = good;
    (bad.*member) += ' ';
    EXPECT_EQ(refuse_delivery(bad, "s", noon), "webhook-signature does not match this secret");
  }
  auto bad = good;
  bad.signature.pop_back();
  EXPECT_EQ(refuse_delivery(bad, "s", noon), "webhook-signature does not match this secret");
  for (const char* time : {"x", "-1", "99999999999999999", "99999999999999999999", "1e9"}) {
    bad.timestamp = time;
    EXPECT_EQ(refuse_delivery(bad, "s", noon), "webhook-timestamp is malformed") << time;
  }
}

TEST(verdict_of, takes_2xx_for_delivered_and_410_for_gone) {
  for (const int status : {200, 201, 202, 204, 299})
    EXPECT_EQ(verdict_of(status), verdict::delivered);
  EXPECT_EQ(verdict_of(410), verdict::gone);
  for (const int status : {0,   100, 103, 199, 300, 301, 302, 307, 308, 400, 401,
                           404, 408, 409, 411, 429, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(verdict_of(status), verdict::failed) << status;
  }
}

TEST(refuse_url, takes_https_to_the_internet) {
  const config::webhook_settings rules;
  for (const char* fine : {"https://hooks.example", "https://hooks.example:8443/a/b?c=d",
                           "https://1.1.1.1/", "https://[2606:4700::1111]/x"}) {
    EXPECT_EQ(refuse_url(fine, rules), "") << fine;
  }
  for (const char* bad :
       {"", "hooks.example", "ftp://hooks.example", "https://", "https://u@hooks.example/",
        "https://u:p@hooks.example/", "https://hooks.example/#a", "https://x:0/", "https://x:65536",
        "http://hooks.example/", "https://127.0.0.1/", "https://10.1.2.3/",
        "https://169.254.169.254/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/", "https://0.0.0.0/"}) {
    EXPECT_NE(refuse_url(bad, rules), "") << bad;
  }
}

TEST(refuse_url, says_what_is_wrong) {
  struct row {
    const char *url, *why;
  };
  for (const auto& [url, why] :
       {row{"", "empty"}, row{" https://x/", "blanks"}, row{"https://x/a b", "blanks"},
        row{"https://b\xC3\xBC\x63her.example/", "xn--"}, row{"https://x:0/", "1 to 65535"},
        row{"https://x:99999/", "1 to 65535"}, row{"https://[::1]:0", "1 to 65535"},
        row{"https://u:p@x/", "user, password"}, row{"hooks.example", "must be https://"}}) {
    EXPECT_NE(refuse_url(url, {}).find(why), std::string::npos)
        << url << ": " << refuse_url(url, {});
  }
}

TEST(refuse_url, says_which_setting_would_allow_it) {
  config::webhook_settings rules;
  EXPECT_NE(refuse_url("http://127.0.0.1:1/", rules).find("webhooks.allow_http"),
            std::string::npos);
  rules.allow_http = true;
  EXPECT_NE(refuse_url("http://127.0.0.1:1/", rules).find("webhooks.allow_private"),
            std::string::npos);
  EXPECT_EQ(refuse_url("http://hooks.example/", rules), "");
  rules.allow_private = true;
  EXPECT_EQ(refuse_url("http://127.0.0.1:1/", rules), "");
  EXPECT_NE(refuse_url("http://u@127.0.0.1:1/", rules), "");
}

}  // namespace
}  // namespace tollgate::proxy::webhooks
