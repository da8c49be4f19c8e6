// The values in the file arrive in the settings.
#include <gmock/gmock.h>

#include "tests/unit/config/support.hpp"

namespace tollgate::config {
namespace {

using namespace std::chrono_literals;
using test::least;
using test::load_or_die;
using testing::ElementsAre;
using testing::Pair;

TEST(settings, defaults) {
  const settings values = load_or_die(least);
  EXPECT_EQ(values.listen.host, "127.0.0.1");
  EXPECT_EQ(values.listen.port, 8080);
  EXPECT_FALSE(values.tls);
  EXPECT_EQ(values.admin.listen.port, 8081);
  EXPECT_EQ(values.admin.token, "");
  EXPECT_EQ(values.store.url, "embedded:var/tollgate");
  EXPECT_EQ(values.identity.agent_header, "X-Agent-Id");
  EXPECT_EQ(values.threads, 0);
  EXPECT_TRUE(values.metering);
  EXPECT_EQ(values.billing.prefix, "/v1/billing");
  EXPECT_TRUE(values.plans.empty());
}

TEST(settings, listeners_tls_and_admin) {
  const settings values = load_or_die(least + R"(
listen: "[::1]:8443"
tls: { certificate: cert.pem, key: key.pem }
admin: { listen: localhost:0, token: "s3cret" }
)");
  EXPECT_EQ(values.listen.host, "::1");
  EXPECT_EQ(values.listen.port, 8443);
  ASSERT_TRUE(values.tls);
  EXPECT_EQ(values.tls->certificate, "cert.pem");
  EXPECT_EQ(values.tls->key, "key.pem");
  EXPECT_EQ(values.admin.listen.host, "127.0.0.1");
  EXPECT_EQ(values.admin.listen.port, 0);
  EXPECT_EQ(values.admin.token, "s3cret");
}

TEST(settings, listen_is_an_address_or_a_map) {
  for (const char* text : {"unix:/run/t.sock", "unix:///run/t.sock"}) {
    const settings values = load_or_die(least + "listen: \"" + text + "\"\n");
    EXPECT_EQ(values.listen.unix_path, "/run/t.sock");
    EXPECT_EQ(values.listen.mode, 0666u);
    EXPECT_FALSE(values.listen.expects_proxies());
  }
  const settings unix_socket = load_or_die(
      least + "listen: { address: \"unix:t.sock\", mode: 0660, proxy_protocol: unix }\n");
  EXPECT_EQ(unix_socket.listen.unix_path, "t.sock");
  EXPECT_EQ(unix_socket.listen.mode, 0660u);
  EXPECT_TRUE(unix_socket.listen.unix_proxies);
  const settings tcp = load_or_die(
      least + "listen: { address: \"[::]:80\", proxy_protocol: [10.0.0.0/8, \"fd00::/8\"] }\n");
  EXPECT_EQ(tcp.listen.host, "::");
  EXPECT_EQ(tcp.listen.proxies.size(), 2u);
  EXPECT_TRUE(tcp.listen.expects_proxies());
}

TEST(settings, metrics_and_hardening) {
  const settings usual = load_or_die(least);
  EXPECT_FALSE(usual.metrics.listen);
  EXPECT_EQ(usual.hardening, (hardening_settings{true, false}));
  const settings values = load_or_die(least + R"(
metrics: { listen: 0.0.0.0:8082 }
hardening: { system_call_filter: false, core_dumps: true }
)");
  EXPECT_EQ(values.metrics.listen.value().port, 8082);
  EXPECT_EQ(values.hardening, (hardening_settings{false, true}));
}

TEST(settings, store_is_a_url_or_a_map) {
  EXPECT_EQ(load_or_die(least + "store: redis://127.0.0.1:6379/2\n").store.url,
            "redis://127.0.0.1:6379/2");
  EXPECT_EQ(load_or_die(least + "store: unix:///run/redis.sock\n").store.url,
            "unix:///run/redis.sock");
  const settings values = load_or_die(least + "store: { url: \"embedded:data\", wait: 250ms }\n");
  EXPECT_EQ(values.store.url, "embedded:data");
  EXPECT_EQ(values.store.wait, 250ms);
}

TEST(settings, journal_is_a_directory_or_a_map_or_off) {
  EXPECT_EQ(load_or_die(least).journal.directory, "");
  EXPECT_EQ(load_or_die(least + "journal: off\n").journal.directory, "");
  EXPECT_EQ(load_or_die(least + "journal: var/journal\n").journal.directory, "var/journal");
  const settings values =
      load_or_die(least + "journal: { directory: /j, max: 32MiB, sync_every: 200ms }\n");
  EXPECT_EQ(values.journal.directory, "/j");
  EXPECT_EQ(values.journal.max_bytes, 32u << 20);
  EXPECT_EQ(values.journal.sync_every, 200ms);
}

TEST(settings, places_for_a_key) {
  const auto values =
      load_or_die(least + "identity: { key_headers: [api-key, X-Goog-Api-Key], key_query: key }\n");
  EXPECT_EQ(values.identity.key_headers, (std::vector<std::string>{"api-key", "X-Goog-Api-Key"}));
  EXPECT_EQ(values.identity.key_query, "key");
  EXPECT_EQ(load_or_die(least).identity, identity_settings{});
}

TEST(settings, cors) {
  EXPECT_FALSE(load_or_die(least).cors.on());
  const auto values = load_or_die(
      least + "cors: { origins: [\"https://app.example.com\", \"https://*.x.org:8443\"] }\n");
  EXPECT_EQ(values.cors.origins.size(), 2U);
  EXPECT_EQ(values.cors.max_age, std::chrono::seconds{600});
  EXPECT_EQ(load_or_die(least + "cors: { origins: \"*\", max_age: 0s }\n").cors.max_age,
            std::chrono::seconds{0});
}

TEST(settings, identity) {
  const settings values =
      load_or_die(least + "identity: { keys: true, agent: X-Bot, conversation: \"\" }\n");
  EXPECT_EQ(values.identity.agent_header, "X-Bot");
  EXPECT_EQ(values.identity.conversation_header, "");
  EXPECT_EQ(values.identity.on_revoked, when_revoked::cut);
  const settings other = load_or_die(least + "identity: { on_revoked: finish }\n");
  EXPECT_EQ(other.identity.on_revoked, when_revoked::finish);
}

upstream_settings upstream(const std::string& body, const test::variables& env = {}) {
  const settings values =
      load_or_die("upstreams: { main: " + body + " }\n" + least.substr(least.find('\n') + 1), env);
  return values.upstreams.empty() ? upstream_settings{} : values.upstreams.front();
}

TEST(settings, upstream_urls) {
  const auto at = [](const std::string& url) {
    const auto u = upstream("{ url: \"" + url + "\" }");
    return (u.tls ? "tls " : "") + u.host + " " + std::to_string(u.port) + " " + u.base_path;
  };
  EXPECT_EQ(at("https://api.openai.com"), "tls api.openai.com 443 ");
  EXPECT_EQ(at("http://API.example:8080/"), "api.example 8080 ");
  EXPECT_EQ(at("HTTP://x/base/path/"), "x 80 /base/path");
  EXPECT_EQ(at("http://[::1]:81/api"), "::1 81 /api");
  EXPECT_EQ(at("http://10.0.0.1"), "10.0.0.1 80 ");
  EXPECT_EQ(at("http://x:/y"), "x 80 /y");
}

TEST(settings, an_upstream_may_be_a_unix_socket) {
  const auto at = [](const std::string& url) {
    const auto u = upstream("{ url: \"" + url + "\" }");
    return u.unix_path + " " + u.host + " " + std::to_string(u.port) + " " + u.base_path;
  };
  EXPECT_EQ(at("http://unix:/run/app.sock"), "/run/app.sock localhost 80 ");
  EXPECT_EQ(at("http://unix:/run/app.sock:"), "/run/app.sock localhost 80 ");
  EXPECT_EQ(at("http://unix:/run/app.sock:/"), "/run/app.sock localhost 80 ");
  EXPECT_EQ(at("http://unix:/run/app.sock:/api/"), "/run/app.sock localhost 80 /api");
  EXPECT_EQ(at("http://unix:/run/a b%20c.sock"), "/run/a b%20c.sock localhost 80 ");
  EXPECT_EQ(at("http://unix:81/api"), " unix 81 /api");
  EXPECT_EQ(at("http://unix/api"), " unix 80 /api");
}

TEST(settings, a_vendor_is_not_told_who_calls) {
  const auto told = [](const std::string& body) {
    const auto u = upstream("{ url: \"" + body + " }");
    return std::string{u.forwarded ? "forwarded " : ""} + (u.via ? "via" : "");
  };
  EXPECT_EQ(told("https://api.openai.com\""), "");
  EXPECT_EQ(told("http://8.8.8.8\""), "");
  EXPECT_EQ(told("https://api.example.com\", identify: true"), "forwarded via");
  EXPECT_EQ(told("https://api.example.com\", identify: true, via: false"), "forwarded ");
  EXPECT_EQ(told("https://api.example.com\", forwarded: true"), "forwarded ");
  EXPECT_EQ(told("https://api.example.com\", via: true"), "via");
  for (const char* own : {"http://platform", "http://10.1.2.3:80", "http://[::1]",
                          "http://localhost", "http://a.b.svc", "http://unix:/run/a.sock"}) {
    EXPECT_EQ(told(std::string{own} + "\""), "forwarded via") << own;
    EXPECT_EQ(told(std::string{own} + "\", forwarded: false, via: false"), "") << own;
  }
}

TEST(settings, an_upstream_may_have_its_own_idle_time) {
  EXPECT_FALSE(upstream("{ url: \"http://x\" }").keep_alive.has_value());
  EXPECT_EQ(upstream("{ url: \"http://x\", keep_alive: 4s }").keep_alive, 4s);
  EXPECT_EQ(upstream("{ url: \"http://x\", keep_alive: 0s }").keep_alive, 0s);
}

TEST(settings, upstream_headers_and_options) {
  const auto u = upstream(
      "{ url: \"https://x\", headers: { Authorization: \"Bearer ${KEY}\", X-Empty: \"${NONE:-}\", "
      "X-Off: \"\" }, ca_file: ca.pem, verify: false, forward_key: true }",
      {{"KEY", "k1"}});
  EXPECT_EQ(u.name, "main");
  EXPECT_THAT(u.headers, ElementsAre(Pair("Authorization", "Bearer k1"), Pair("X-Empty", ""),
                                     Pair("X-Off", "")));
  EXPECT_EQ(u.ca_file, "ca.pem");
  EXPECT_FALSE(u.verify);
  EXPECT_TRUE(u.forward_key);
}

TEST(settings, a_header_made_of_empty_variables_is_empty) {
  const auto u =
      upstream("{ url: \"https://x\", headers: { Authorization: \"Bearer ${KEY:-}\" } }");
  EXPECT_THAT(u.headers, ElementsAre(Pair("Authorization", "")));
}

TEST(settings, an_upstream_is_told_who_pays) {
  EXPECT_FALSE(upstream("{ url: \"https://x\" }").identify.on);
  EXPECT_FALSE(upstream("{ url: \"https://x\", identify: false }").identify.on);
  const auto plain = upstream("{ url: \"https://x\", identify: true }").identify;
  EXPECT_TRUE(plain.on);
  EXPECT_EQ(plain.org, "X-Tollgate-Org");
  EXPECT_EQ(plain.secret, "");
  const auto other = upstream(
                         "{ url: \"https://x\", identify: { secret: \"${KEY}\", headers: { org: "
                         "X-Tenant, agent: \"\" } } }",
                         {{"KEY", "s"}})
                         .identify;
  EXPECT_TRUE(other.on);
  EXPECT_EQ(other.secret, "s");
  EXPECT_EQ(other.org, "X-Tenant");
  EXPECT_EQ(other.agent, "");
  EXPECT_EQ(other.conversation, "X-Tollgate-Conversation");
  EXPECT_TRUE(upstream("{ url: \"https://x\", identify: { secret: \"${KEY:-}\" } }").identify.on);
}

// Everything it also meant before, it still means.
TEST(settings, leaving_while_waiting_follows_leaving_early_where_only_that_is_set) {
  const auto policy = [](const std::string& settlement) {
    const settings values = load_or_die(
        "upstreams: { main: { url: \"http://x\" } }\nrates: { api: { credits: 1, per: request } }\n"
        "routes: [ { name: a, match: {}, upstream: main, action: api, rate: api" +
        settlement + " } ]");
    return values.routes.at(0).settlement.client_gone_waiting;
  };
  using quota::resolution;
  EXPECT_EQ(policy(""), resolution::settle);
  EXPECT_EQ(policy(", settlement: { client_gone: void }"), resolution::settle);
  EXPECT_EQ(policy(", settlement: { client_gone_early: void }"), resolution::void_hold);
  EXPECT_EQ(policy(", settlement: { client_gone_early: settle }"), resolution::settle);
  EXPECT_EQ(policy(", settlement: { client_gone_early: void, client_gone_waiting: settle }"),
            resolution::settle);
  EXPECT_EQ(policy(", settlement: { client_gone_waiting: void }"), resolution::void_hold);
}

TEST(settings, rates) {
  const settings values = load_or_die(R"(
upstreams: { main: { url: "http://x" } }
rates:
  api:   { credits: 0.1, per: request }
  query: { credits: "1.000001", per: query }
  tts:   { credits: 5, per: minute, meter: response_audio, increment: 100ms }
  stt:   { credits: 3, per: minute, meter: request_audio }
  free:  { credits: 0, per: request, times: /n }
  more:  { credits: 0, per: query, times: [/n, /best_of] }
routes: [ { name: a, match: { path: /a }, upstream: main, action: api, rate: api } ]
)");
  ASSERT_EQ(values.rates.size(), 6u);
  EXPECT_EQ(values.rates[0].name, "api");
  EXPECT_EQ(values.rates[0].price.micro(), 100'000);
  EXPECT_EQ(values.rates[0].per, quota::unit::request);
  EXPECT_EQ(values.rates[1].price.micro(), 1'000'001);
  EXPECT_EQ(values.rates[1].per, quota::unit::query);
  EXPECT_EQ(values.rates[2].per, quota::unit::minute);
  EXPECT_EQ(values.rates[2].meter, quota::meter_kind::response_audio);
  EXPECT_EQ(values.rates[2].increment_us, 100'000);
  EXPECT_EQ(values.rates[3].meter, quota::meter_kind::request_audio);
  EXPECT_EQ(values.rates[3].increment_us, 1'000'000);
  EXPECT_EQ(values.rates[4].price.micro(), 0);
  EXPECT_THAT(values.rates[0].times, ElementsAre());
  EXPECT_THAT(values.rates[4].times, ElementsAre("/n"));
  EXPECT_THAT(values.rates[5].times, ElementsAre("/n", "/best_of"));
}

TEST(settings, routes) {
  const settings values = load_or_die(R"(upstreams: { main: { url: "http://x" } }
rates: { api: { credits: 0.1, per: request }, query: { credits: 1, per: query } }
routes:
  - name: first
    match:
      method: [POST, PUT]
      host: "*.example.com"
      path: /v1/chat
      headers: { X-Tier: [gold, silver] }
      query: { beta: "*" }
      content_type: application/json
      json: { model: "gpt-4*", /tools/0/type: [a, b], "x/y~z": 1 }
    upstream: main
    action: llm
    rate: query
    model: fixed
    count: /queries
    critical: true
    mode: shadow
    dialect: anthropic
    settlement: { refused: settle, no_answer: settle, client_gone_early: settle,
                  client_gone: void, upstream_failed: void, stream_error: settle, empty: settle,
                  redirected: settle }
  - { name: second, match: {}, upstream: main, action: api, rate: api, mode: enforce }
)");
  ASSERT_EQ(values.routes.size(), 2u);
  const auto& first = values.routes[0];
  EXPECT_EQ(first.name, "first");
  EXPECT_THAT(first.match.methods, ElementsAre("POST", "PUT"));
  EXPECT_THAT(first.match.hosts, ElementsAre("*.example.com"));
  EXPECT_EQ(first.match.path, "/v1/chat");
  EXPECT_THAT(first.match.headers, ElementsAre(Pair("x-tier", ElementsAre("gold", "silver"))));
  EXPECT_THAT(first.match.query, ElementsAre(Pair("beta", ElementsAre("*"))));
  EXPECT_THAT(first.match.content_types, ElementsAre("application/json"));
  EXPECT_THAT(first.match.json, ElementsAre(Pair("/model", ElementsAre("gpt-4*")),
                                            Pair("/tools/0/type", ElementsAre("a", "b")),
                                            Pair("/x~1y~0z", ElementsAre("1"))));
  EXPECT_EQ(first.upstream, "main");
  EXPECT_EQ(first.action, "llm");
  EXPECT_EQ(first.rate, "query");
  EXPECT_EQ(first.model, "fixed");
  EXPECT_EQ(first.count, "/queries");
  EXPECT_TRUE(first.critical);
  EXPECT_TRUE(first.shadow);
  EXPECT_EQ(first.dialect, routes::dialect::anthropic);
  EXPECT_EQ(first.settlement.refused, quota::resolution::settle);
  EXPECT_EQ(first.settlement.no_answer, quota::resolution::settle);
  EXPECT_EQ(first.settlement.client_gone_early, quota::resolution::settle);
  EXPECT_EQ(first.settlement.client_gone_waiting, quota::resolution::settle);
  EXPECT_EQ(first.settlement.stream_error, quota::resolution::settle);
  EXPECT_EQ(first.settlement.empty, quota::resolution::settle);
  EXPECT_EQ(first.settlement.redirected, quota::resolution::settle);
  EXPECT_EQ(first.settlement.client_gone, quota::resolution::void_hold);
  EXPECT_EQ(first.settlement.upstream_failed, quota::resolution::void_hold);
  EXPECT_EQ(first.at.line, 4);
  EXPECT_EQ(first.at.column, 5);
  const auto& second = values.routes[1];
  EXPECT_FALSE(second.critical);
  EXPECT_FALSE(second.shadow);
  EXPECT_EQ(second.dialect, routes::dialect::platform);
  EXPECT_EQ(second.settlement.refused, quota::resolution::void_hold);
  EXPECT_EQ(second.settlement.client_gone, quota::resolution::settle);
}

TEST(settings, plans) {
  const settings values = load_or_die(least + R"(
plans:
  starter: { credits: 20000, overage_usd: 0.02, top_up_minimum_usd: 10,
             requests: { per_minute: 60, burst: 100 } }
  pro: { credits: 200000, overage_usd: 0.01, top_up_minimum_usd: 25.50,
         rollover: { up_to: 100%, cycles: 1 } }
  enterprise: { custom: true }
)");
  ASSERT_EQ(values.plans.size(), 3u);
  quota::plan_terms starter;
  starter.plan = "starter";
  starter.allocation = quota::credits::from_whole(20'000);
  starter.usd_micro_per_credit = 20'000;
  starter.top_up_minimum_cents = 1000;
  starter.requests_per_minute = 60;
  starter.burst = 100;
  EXPECT_EQ(values.plans[0].name, "starter");
  EXPECT_EQ(values.plans[0].terms, starter);
  EXPECT_FALSE(values.plans[0].custom);
  EXPECT_EQ(values.plans[1].terms.top_up_minimum_cents, 2550);
  EXPECT_EQ(values.plans[1].terms.rollover_percent, 100);
  EXPECT_EQ(values.plans[1].terms.rollover_cycles, 1);
  EXPECT_EQ(values.plans[1].terms.requests_per_minute, 0) << "any rate";
  EXPECT_TRUE(values.plans[2].custom);
  EXPECT_EQ(values.plans[2].terms.plan, "enterprise");
}

TEST(settings, archive_and_retention) {
  EXPECT_EQ(load_or_die(least).archive, archive_settings{});
  EXPECT_EQ(load_or_die(least).retention, retention_settings{});
  auto given =
      load_or_die(least +
                  "archive: { postgresql: \"postgresql://db/x\" }\n"
                  "retention: { ledger: 30d, usage: 90d, usage_by_hour: 100d, usage_by_day: 100d,\n"
                  "  idle_totals: 90m }");
  EXPECT_EQ(given.archive.kind, archive_kind::postgresql);
  EXPECT_EQ(given.archive.url, "postgresql://db/x");
  EXPECT_EQ(given.retention.ledger, std::chrono::hours{24 * 30});
  EXPECT_EQ(given.retention.usage, std::chrono::hours{24 * 90});
  EXPECT_EQ(given.retention.usage_by_hour, std::chrono::hours{24 * 100});
  EXPECT_EQ(given.retention.usage_by_day, std::chrono::hours{24 * 100});
  EXPECT_EQ(given.retention.idle_totals, std::chrono::minutes{90});
  given = load_or_die(least + "archive: { files: var/a, rotate_size: 1MiB, rotate_every: 1h }");
  EXPECT_EQ(given.archive.kind, archive_kind::files);
  EXPECT_EQ(given.archive.directory, "var/a");
  EXPECT_EQ(given.archive.rotate_bytes, 1u << 20);
  EXPECT_EQ(given.archive.rotate_every, std::chrono::hours{1});
}

TEST(settings, payments) {
  EXPECT_EQ(load_or_die(least).payments.kind, payment_kind::none);
  EXPECT_EQ(load_or_die(least + "payments:\n#  webhook: x\n").payments.kind, payment_kind::none);

  const auto webhook = load_or_die(least + R"(
payments:
  webhook: { url: "https://billing.example/hooks/?from=tollgate", secret: "s3 cret", ca_file: ca.pem }
  timeout: 3s
)")
                           .payments;
  EXPECT_EQ(webhook.kind, payment_kind::webhook);
  EXPECT_EQ(webhook.url, "https://billing.example/hooks/?from=tollgate");
  EXPECT_EQ(webhook.secret, "s3 cret");
  EXPECT_EQ(webhook.ca_file, "ca.pem");
  EXPECT_EQ(webhook.timeout, 3s);

  const auto stripe = load_or_die(least + "payments: { stripe: { secret_key: sk_1 } }").payments;
  EXPECT_EQ(stripe.kind, payment_kind::stripe);
  EXPECT_EQ(stripe.url, "https://api.stripe.com");
  EXPECT_EQ(stripe.secret, "sk_1");
  EXPECT_EQ(stripe.timeout, 10s);
  for (const char* here : {"http://127.0.0.1:9", "http://[::1]:9", "http://LocalHost:9"}) {
    EXPECT_EQ(
        load_or_die(least + "payments: { stripe: { secret_key: sk_1, url: \"" + here + "\" } }")
            .payments.url,
        here);
  }
}

TEST(settings, events_of_stripe) {
  const auto with = [](const std::string& more) {
    return load_or_die(least + "payments: { stripe: { secret_key: k" + more + " } }")
        .payments.events;
  };
  EXPECT_TRUE(with("").secrets.empty());
  const auto usual = with(", webhook_secret: whsec_1");
  EXPECT_EQ(usual.secrets, std::vector<std::string>{"whsec_1"});
  EXPECT_FALSE(usual.listen);
  EXPECT_TRUE(usual.take_back_refunds && usual.take_back_disputes);
  const auto all =
      with(", webhook_secret: [new, old], listen: 127.0.0.1:8082, refunds: keep, disputes: keep");
  EXPECT_EQ(all.secrets, (std::vector<std::string>{"new", "old"}));
  EXPECT_EQ(all.listen.value().port, 8082);
  EXPECT_FALSE(all.take_back_refunds || all.take_back_disputes);
}

TEST(settings, webhooks) {
  const auto usual = load_or_die(least).webhooks;
  EXPECT_EQ(usual.timeout, 5s);
  const std::vector<milliseconds> field{0s, 5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
  EXPECT_EQ(usual.retries, field);
  EXPECT_FALSE(usual.allow_http);
  EXPECT_FALSE(usual.allow_private);
  EXPECT_EQ(usual.ca_file, "");

  const auto own = load_or_die(least + R"(
webhooks: { timeout: 1s, retries: [0s, 250ms], allow_http: true, allow_private: true, ca_file: ca.pem }
)")
                       .webhooks;
  EXPECT_EQ(own.timeout, 1s);
  EXPECT_EQ(own.retries, (std::vector<milliseconds>{0ms, 250ms}));
  EXPECT_TRUE(own.allow_http);
  EXPECT_TRUE(own.allow_private);
  EXPECT_EQ(own.ca_file, "ca.pem");
}

TEST(settings, timeouts_limits_and_the_rest) {
  const settings values = load_or_die(least + R"(
timeouts: { client_head: 1s, client_body: 2s, client_write: 3s, connect: 4s, response_head: 5m,
            idle: 6m, total: 7h, keep_alive: 8s, drain: 0 }
limits: { head: 16KiB, buffered: 64MiB, json: 1MiB, body: 2GiB, connections: 9, idle_upstream_connections: 0 }
audio: { spool: { directory: /srv/spool, upload: 1GiB, total: 3GiB } }
holds: { timeout: 90s, sweep_every: 500ms }
log: { level: debug, access: /var/log/access.json }
threads: 4
metering: off
billing: { prefix: /my/credits }
)");
  EXPECT_EQ(values.timeouts.client_head, 1s);
  EXPECT_EQ(values.timeouts.client_body, 2s);
  EXPECT_EQ(values.timeouts.client_write, 3s);
  EXPECT_EQ(values.timeouts.connect, 4s);
  EXPECT_EQ(values.timeouts.response_head, 5min);
  EXPECT_EQ(values.timeouts.idle, 6min);
  EXPECT_EQ(values.timeouts.total, 7h);
  EXPECT_EQ(values.timeouts.keep_alive, 8s);
  EXPECT_EQ(values.timeouts.drain, 0s);
  EXPECT_EQ(values.limits.head_bytes, 16u << 10);
  EXPECT_EQ(values.limits.buffered_bytes, 64u << 20);
  EXPECT_EQ(values.limits.json_bytes, 1u << 20);
  EXPECT_EQ(values.limits.body_bytes, std::uint64_t{2} << 30);
  EXPECT_EQ(values.limits.connections, 9u);
  EXPECT_EQ(values.limits.idle_upstream_connections, 0u);
  EXPECT_EQ(values.spool.directory, "/srv/spool");
  EXPECT_EQ(values.spool.upload_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(values.spool.total_bytes, std::uint64_t{3} << 30);
  EXPECT_EQ(values.holds.timeout, 90s);
  EXPECT_EQ(values.holds.sweep_every, 500ms);
  EXPECT_EQ(values.log.level, "debug");
  EXPECT_EQ(values.log.access, "/var/log/access.json");
  EXPECT_EQ(values.threads, 4);
  EXPECT_FALSE(values.metering);
  EXPECT_EQ(values.billing.prefix, "/my/credits");
}

TEST(settings, values_come_from_the_environment_with_their_types) {
  const settings values = load_or_die(R"(upstreams: { main: { url: "http://${HOST}:${PORT:-81}" } }
rates: { api: { credits: "${PRICE}", per: "${UNIT}" } }
routes:
  - { name: a, match: { path: "/${PATH_}" }, upstream: "${UP}", action: api, rate: api,
      critical: "${CRIT}" }
threads: ${THREADS}
timeouts: { connect: "${MS}ms" }
limits: { head: "${SIZE:-8KiB}" }
)",
                                      {{"HOST", "h"},
                                       {"PRICE", "0.25"},
                                       {"UNIT", "request"},
                                       {"PATH_", "p"},
                                       {"UP", "main"},
                                       {"CRIT", "true"},
                                       {"THREADS", "3"},
                                       {"MS", "250"}});
  EXPECT_EQ(values.upstreams.at(0).host, "h");
  EXPECT_EQ(values.upstreams.at(0).port, 81);
  EXPECT_EQ(values.rates.at(0).price.micro(), 250'000);
  EXPECT_EQ(values.routes.at(0).match.path, "/p");
  EXPECT_TRUE(values.routes.at(0).critical);
  EXPECT_EQ(values.threads, 3);
  EXPECT_EQ(values.timeouts.connect, 250ms);
  EXPECT_EQ(values.limits.head_bytes, 8u << 10);
}

TEST(settings, a_variable_never_becomes_structure) {
  const settings values = load_or_die(least + "admin: { token: \"${T}\" }\nlog:\n  access: ${F}\n",
                                      {{"T", "x\",listen:0.0.0.0:1"}, {"F", "a: [b, {c: d}] # e"}});
  EXPECT_EQ(values.admin.token, "x\",listen:0.0.0.0:1");
  EXPECT_EQ(values.admin.listen.host, "127.0.0.1");
  EXPECT_EQ(values.log.access, "a: [b, {c: d}] # e");
}

TEST(settings, aliases_repeat_a_value) {
  const settings values = load_or_die(R"(upstreams: { main: { url: "http://x" } }
rates: { a: &price { credits: 2, per: request }, b: *price }
routes:
  - { name: one, match: { path: /one }, upstream: main, action: &what api, rate: a }
  - { name: two, match: { path: /two }, upstream: main, action: *what, rate: b }
)");
  EXPECT_EQ(values.rates.at(1).name, "b");
  EXPECT_EQ(values.rates.at(1).price, quota::credits::from_whole(2));
  EXPECT_EQ(values.routes.at(1).action, "api");
}

TEST(settings, sections_may_have_all_keys_commented_out) {
  const settings values = load_or_die(least + "timeouts:\n#  idle: 5m\nplans:\nadmin:\nlog: ~\n");
  EXPECT_EQ(values.timeouts.idle, 5min);
}

}  // namespace
}  // namespace tollgate::config
