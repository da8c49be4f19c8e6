// The rights of a session, as a table.
#include "proxy/admin/dashboard/access.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::dashboard {
namespace {

const std::string id(64, 'a');

session customer(quota::org_id org) {
  session who;
  who.role = role::customer;
  who.org = std::move(org);
  return who;
}

session administrator() {
  session who;
  who.role = role::admin;
  return who;
}

browser_fields browser(std::string fetch_site = "same-origin") {
  return {.cookie = std::string{cookie_name} + "=" + id,
          .csrf = csrf_token(id),
          .origin = "http://127.0.0.1:8081",
          .fetch_site = std::move(fetch_site),
          .host = "127.0.0.1:8081"};
}

TEST(access_test, a_customer_reads_its_own_organization) {
  for (const auto* what : {"balance", "usage", "ledger", "statements", "statements/2026-01",
                           "top_ups", "grants", "projection", "events"}) {
    const auto path = std::string{"/admin/v1/orgs/acme/"} + what;
    EXPECT_TRUE(may_call(customer("acme"), "GET", path)) << path;
    EXPECT_TRUE(may_call(customer("acme"), "HEAD", path)) << path;
  }
}

TEST(access_test, a_customer_changes_nothing) {
  for (const auto* what :
       {"balance", "usage", "ledger", "statements", "statements/2026-01", "top_ups", "grants",
        "top_ups/t1", "keys", "keys/k1", "webhooks", "webhooks/w1", "webhooks/w1/rotate",
        "webhooks/w1/retry", "webhooks/w1/test", "webhooks/w1/dead_letters/1-0/resend", ""}) {
    for (const auto* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", ""}) {
      const auto path = std::string{"/admin/v1/orgs/acme/"} + what;
      EXPECT_FALSE(may_call(customer("acme"), method, path)) << method << " " << path;
    }
  }
}

// Sixty attempts to read another account, or to leave one's own.
TEST(access_test, a_customer_sees_nothing_else) {
  const std::vector<std::string> paths{"/",
                                       "/admin/v1",
                                       "/admin/v1/",
                                       "/admin/v1/orgs",
                                       "/admin/v1/orgs/",
                                       "/admin/v1/orgs/acme",
                                       "/admin/v1/orgs/acme/",
                                       "/admin/v1/orgs/acme/keys",
                                       "/admin/v1/orgs/acme/keys/k1",
                                       "/admin/v1/orgs/acme/holds",
                                       "/admin/v1/orgs/acme/top_ups/t1",
                                       "/admin/v1/orgs/acme/grants/g1",
                                       "/admin/v1/orgs/acme/balance/",
                                       "/admin/v1/orgs/acme/balance/x",
                                       "/admin/v1/orgs/acme//balance",
                                       "/admin/v1/orgs//acme/balance",
                                       "/admin/v1//orgs/acme/balance",
                                       "//admin/v1/orgs/acme/balance",
                                       "/admin/v1/orgs/acme/./balance",
                                       "/admin/v1/orgs/acme/../acme/balance",
                                       "/admin/v1/orgs/acme/../evil/balance",
                                       "/admin/v1/orgs/acme/..%2fevil/balance",
                                       "/admin/v1/orgs/acme/%2e%2e/evil/balance",
                                       "/admin/v1/orgs/acme%2f..%2fevil/balance",
                                       "/admin/v1/orgs/acme%2F/balance",
                                       "/admin/v1/orgs/%61cme/balance",
                                       "/admin/v1/orgs/acm%65/balance",
                                       "/admin/v1/orgs/acme/%62alance",
                                       "/admin/v1/orgs/acme%00/balance",
                                       "/admin/v1/orgs/acme%20/balance",
                                       "/admin/v1/orgs/acme /balance",
                                       "/admin/v1/orgs/ acme/balance",
                                       "/admin/v1/orgs/acme;evil/balance",
                                       "/admin/v1/orgs/acme?/balance",
                                       "/admin/v1/orgs/acme#/balance",
                                       "/admin/v1/orgs/acme.evil/balance",
                                       "/admin/v1/orgs/acme-2/balance",
                                       "/admin/v1/orgs/acme2/balance",
                                       "/admin/v1/orgs/acm/balance",
                                       "/admin/v1/orgs/ACME/balance",
                                       "/admin/v1/orgs/Acme/balance",
                                       "/admin/v1/orgs/evil/balance",
                                       "/admin/v1/orgs/evil/usage",
                                       "/admin/v1/orgs/evil/ledger",
                                       "/admin/v1/orgs/evil/statements",
                                       "/admin/v1/orgs/evil/statements/2026-01",
                                       "/admin/v1/orgs/evil/top_ups",
                                       "/admin/v1/orgs/evil/grants",
                                       "/admin/v1/orgs/*/balance",
                                       "/admin/v1/orgs/acme,evil/balance",
                                       "/admin/v1/orgs/acme/statements/",
                                       "/admin/v1/orgs/acme/statements/2026-1",
                                       "/admin/v1/orgs/acme/statements/2026-01-01",
                                       "/admin/v1/orgs/acme/statements/2026-01/x",
                                       "/admin/v1/orgs/acme/statements/../..",
                                       "/admin/v1/orgs/acme/statements/..%2f..",
                                       "/admin/v1/orgs/acme/statements/20a6-01",
                                       "/admin/v2/orgs/acme/balance",
                                       "/ADMIN/v1/orgs/acme/balance",
                                       "/admin/v1/orgs/acme/Balance",
                                       "admin/v1/orgs/acme/balance"};
  ASSERT_GE(paths.size(), 60u);
  for (const auto& path : paths) EXPECT_FALSE(may_call(customer("acme"), "GET", path)) << path;
  for (const auto* org : {"", ".", "..", "/"}) {
    EXPECT_FALSE(may_call(customer(org), "GET", "/admin/v1/orgs/acme/balance")) << org;
  }
  EXPECT_FALSE(may_call(customer(""), "GET", "/admin/v1/orgs//balance"));
}

TEST(access_test, an_administrator_may_call_the_admin_api) {
  EXPECT_TRUE(may_call(administrator(), "PUT", "/admin/v1/orgs/acme"));
  EXPECT_TRUE(may_call(administrator(), "GET", "/admin/v1/orgs"));
  EXPECT_FALSE(may_call(administrator(), "GET", "/elsewhere"));
}

TEST(access_test, a_change_needs_the_token_and_the_origin) {
  const auto put = [](const browser_fields& from) {
    const auto error = refuse_call(administrator(), from, "PUT", "/admin/v1/orgs/acme");
    return error ? error->code : "";
  };
  EXPECT_EQ(put(browser()), "");
  for (const auto* site : {"cross-site", "same-site", "none", "Same-Origin", "nonsense"}) {
    EXPECT_EQ(put(browser(site)), "cross_site") << site;
  }
  auto from = browser();
  for (const auto& csrf : {std::string{}, std::string(64, '0'), csrf_token(std::string(64, 'b')),
                           csrf_token(id) + "0", csrf_token(id).substr(1)}) {
    from.csrf = csrf;
    EXPECT_EQ(put(from), "csrf_token_missing") << csrf;
  }
}

TEST(access_test, without_fetch_metadata_the_origin_tells) {
  const auto put = [](std::string origin, std::string host) {
    auto from = browser("");
    from.origin = std::move(origin);
    from.host = std::move(host);
    return !refuse_call(administrator(), from, "PUT", "/admin/v1/orgs/acme");
  };
  EXPECT_TRUE(put("http://10.0.0.7:8081", "10.0.0.7:8081"));
  EXPECT_TRUE(put("https://tollgate.example.com", "tollgate.example.com"));
  EXPECT_FALSE(put("http://10.0.0.7:8080", "10.0.0.7:8081")) << "another port is another origin";
  EXPECT_FALSE(put("http://evil.example", "10.0.0.7:8081"));
  EXPECT_FALSE(put("null", "10.0.0.7:8081"));
  EXPECT_FALSE(put("", "10.0.0.7:8081"));
  EXPECT_FALSE(put("http://", ""));
}

TEST(access_test, reads_come_from_the_page_or_from_nobody_else) {
  const auto get = [](std::string fetch_site) {
    return !refuse_call(administrator(), browser(std::move(fetch_site)), "GET", "/admin/v1/orgs");
  };
  EXPECT_TRUE(get("same-origin"));
  EXPECT_TRUE(get("none"));
  EXPECT_TRUE(get(""));
  EXPECT_FALSE(get("same-site")) << "another port of this host";
  EXPECT_FALSE(get("cross-site"));
}

TEST(access_test, finds_the_session_in_the_cookies) {
  const std::string name{cookie_name};
  EXPECT_EQ(session_id_in(name + "=" + id), id);
  EXPECT_EQ(session_id_in("a=b; " + name + "=" + id + "; c=d"), id);
  EXPECT_EQ(session_id_in("x" + name + "=" + id), "");
  EXPECT_EQ(session_id_in(name + "x=" + id), "");
  EXPECT_EQ(session_id_in(name + "=short"), "");
  EXPECT_EQ(session_id_in(name + "=" + std::string(64, 'A')), "");
  EXPECT_EQ(session_id_in(name), "");
  EXPECT_EQ(session_id_in(""), "");
  EXPECT_EQ(session_id_in(";;; ;"), "");
}

}  // namespace
}  // namespace tollgate::proxy::dashboard
