// YAML in, messages out: the exact text and position that a user sees.
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "tests/unit/config/support.hpp"

namespace tollgate::config {
namespace {

using test::least;
using test::verdict;

struct mistake {
  const char* yaml;
  const char* expected;  // lines of "LINE:COLUMN: message"
};

// Most mistakes are a line that is appended to `least`; it is line 5.
void expect_in_line_5(std::initializer_list<mistake> mistakes) {
  for (const auto& [yaml, expected] : mistakes) {
    EXPECT_EQ(verdict(least + yaml), expected) << yaml;
  }
}

TEST(errors, none) {
  EXPECT_EQ(verdict(least), "ok");
}

TEST(errors, keys_that_are_unknown_or_missing) {
  expect_in_line_5({
      {"tiemouts: {}", R"(5:1: unknown key "tiemouts"; did you mean "timeouts"?)"},
      {"zzz: 1", R"(5:1: unknown key "zzz")"},
      {"Listen: 127.0.0.1:1", R"(5:1: unknown key "Listen"; did you mean "listen"?)"},
      {"<<: {}", R"(5:1: unknown key "<<"; YAML merge keys are not supported)"},
      {"timeouts: { conect: 5s }",
       R"(5:13: timeouts: unknown key "conect"; did you mean "connect"?)"},
      {"admin: { tokn: x }", R"(5:10: admin: unknown key "tokn"; did you mean "token"?)"},
      {"tls: { certificate: a }", R"(5:6: tls: missing key "key")"},
      {"tls: {}", "5:6: tls: missing key \"certificate\"\n5:6: tls: missing key \"key\""},
      {"store: { wait: 1s }", R"(5:8: store: missing key "url")"},
      {"listen: 127.0.0.1:1\nlisten: 127.0.0.1:2",
       R"(6:1: duplicate key "listen"; it is set at 5:1 already)"},
      {"\"a\\nb\": 1", R"(5:1: unknown key "a\x0ab")"},
  });
  EXPECT_EQ(
      verdict(""),
      "1:1: missing key \"rates\"\n1:1: missing key \"routes\"\n1:1: missing key \"upstreams\"");
  EXPECT_EQ(verdict("- a\n"), "1:1: expected a map of keys, found a list");
  EXPECT_EQ(verdict("text\n"), "1:1: expected a map of keys, found \"text\"");
}

TEST(errors, values_of_the_wrong_type) {
  expect_in_line_5({
      {"listen: [a]",
       "5:9: listen: expected ADDRESS:PORT (127.0.0.1:8080, [::1]:8080) or unix:PATH, found a "
       "list"},
      {"listen:",
       "5:1: listen: expected ADDRESS:PORT (127.0.0.1:8080, [::1]:8080) or unix:PATH, found "
       "nothing"},
      {"listen: ~",
       "5:9: listen: expected ADDRESS:PORT (127.0.0.1:8080, [::1]:8080) or unix:PATH, found "
       "nothing"},
      {"timeouts: 5s", R"(5:11: timeouts: expected a map of keys, found "5s")"},
      {"timeouts: [5s]", "5:11: timeouts: expected a map of keys, found a list"},
      {"timeouts: { connect: { s: 5 } }",
       "5:22: connect: expected a duration (250ms, 60s, 5m, 2h), found a map"},
      {"threads: many", R"(5:10: threads: expected a whole number (0 to 1024), found "many")"},
      {"threads: 1.5", R"(5:10: threads: expected a whole number (0 to 1024), found "1.5")"},
      {"threads: -1", R"(5:10: threads: expected a whole number (0 to 1024), found "-1")"},
      {"threads: \"\"", R"(5:10: threads: expected a whole number (0 to 1024), found "")"},
      {"identity: { keys: yes }", R"(5:19: keys: expected true | false, found "yes")"},
      {"identity: { keys: True }",
       R"(5:19: keys: expected true | false, found "True"; did you mean "true"?)"},
      {"log: { level: warning }",
       R"(5:15: level: expected debug | info | warn | error, found "warning")"},
      {"log: { access: \"\" }", R"(5:16: access: expected text, found "")"},
      {"log: { access: \"a\\nb\" }", "5:16: access: contains a line break or a control character"},
      {"metering: true", R"(5:11: metering: expected on | off, found "true")"},
      {"plans: []", "5:8: plans: expected a map of names, found a list"},
  });
}

TEST(errors, values_out_of_range) {
  expect_in_line_5({
      {"threads: 5000", R"(5:10: threads: "5000" is out of range (0 to 1024))"},
      {"threads: 99999999999999999999",
       R"(5:10: threads: expected a whole number (0 to 1024), found "99999999999999999999")"},
      {"timeouts: { connect: 0s }", R"(5:22: connect: "0s" is out of range (1ms to 1d))"},
      {"timeouts: { connect: 25h }", R"(5:22: connect: "25h" is out of range (1ms to 1d))"},
      {"timeouts: { total: 31d }", R"(5:20: total: "31d" is out of range (1ms to 30d))"},
      {"timeouts: { idle: 1500us }", R"(5:19: idle: "1500us" is finer than 1ms)"},
      {"holds: { timeout: 10ms }", R"(5:19: timeout: "10ms" is out of range (1s to 1d))"},
      {"store: { url: \"redis://x\", wait: 2m }", R"(5:34: wait: "2m" is out of range (0s to 1m))"},
      {"limits: { head: 1 }", R"(5:17: head: "1" is out of range (1KiB to 1MiB))"},
      {"audio: { spool: { upload: 5GiB } }", "5:17: spool: total is less than upload"},
      {"limits: { connections: 0 }", R"(5:24: connections: "0" is out of range (1 to 1000000))"},
      {"plans: { p: { credits: 1, rollover: { up_to: 0%, cycles: 1 } } }",
       R"(5:46: up_to: "0%" is out of range (1% to 1000%))"},
      {"plans: { p: { credits: 1, rollover: { up_to: 1%, cycles: 0 } } }",
       R"(5:58: cycles: "0" is out of range (1 to 120))"},
      {"plans: { p: { credits: 1, overage_usd: 1000.000001 } }",
       R"(5:40: overage_usd: "1000.000001" is out of range (0 to 1000))"},
      {"plans: { p: { credits: 1, top_up_minimum_usd: 9000000000.01 } }",
       R"(5:47: top_up_minimum_usd: "9000000000.01" is out of range (0 to 9000000000))"},
      {"plans: { p: { credits: 1, requests: { per_minute: 60, burst: 0 } } }",
       R"(5:62: burst: "0" is out of range (1 to 1000000))"},
      {"plans: { p: { credits: 1, requests: { per_minute: 1000001, burst: 1 } } }",
       R"(5:51: per_minute: "1000001" is out of range (1 to 1000000))"},
  });
}

TEST(errors, durations_and_sizes) {
  expect_in_line_5({
      {"timeouts: { connect: 5 }",
       R"(5:22: connect: expected a duration (250ms, 60s, 5m, 2h), found "5")"},
      {"timeouts: { connect: 5 sec }",
       R"(5:22: connect: expected a duration (250ms, 60s, 5m, 2h), found "5 sec")"},
      {"limits: { json: 8MB }",
       R"(5:17: json: expected a size (4096, 64KiB, 8MiB, 1GiB), found "8MB")"},
      {"limits: { json: [] }",
       "5:17: json: expected a size (4096, 64KiB, 8MiB, 1GiB), found a list"},
  });
}

TEST(errors, listeners) {
  const std::string expected =
      "5:9: listen: expected ADDRESS:PORT (127.0.0.1:8080, [::1]:8080), found ";
  for (const char* wrong :
       {"8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "example.com:80",
        "::1:80", "256.0.0.1:80", "127.1:80", "[]:80", "[127.0.0.1]:80", "http://127.0.0.1:80",
        ":8080", "localhost", "127.0.0.1:-1"}) {
    EXPECT_EQ(verdict(least + "listen: \"" + wrong + "\""), expected + "\"" + wrong + "\"");
  }
  EXPECT_EQ(verdict(least + "admin: { listen: \"127.0.0.1:8080\" }"),
            "1:1: listen and admin.listen are the same address");
  EXPECT_EQ(verdict(least + "listen: localhost:81\nadmin: { listen: \"127.0.0.1:81\" }"),
            "1:1: listen and admin.listen are the same address");
  EXPECT_EQ(verdict(least + "listen: localhost:0\nadmin: { listen: \"127.0.0.1:0\" }"), "ok");
}

TEST(errors, listen_as_a_map) {
  const std::string at = "listen: { address: \"unix:/s\", ",
                    tcp = "listen: { address: 127.0.0.1:80, ";
  const std::vector<std::pair<std::string, std::string>> mistakes{
      {"listen: \"unix:\"",
       "5:9: listen: expected unix:PATH (unix:/run/tollgate/calls.sock), found \"unix:\""},
      {"listen: \"unix:" + std::string(108, 'x') + "\"",
       "5:9: listen: the path of a unix socket has at most 107 bytes, this one has 108"},
      {"admin: { listen: \"unix:/s\" }",
       "5:18: listen: expected ADDRESS:PORT (127.0.0.1:8080, [::1]:8080), found \"unix:/s\""},
      {"listen: { mode: 660 }", "5:9: listen: missing key \"address\""},
      {at + "mode: 888 }",
       "5:37: mode: expected a file mode of three octal digits (660, \"0660\"), found \"888\""},
      {tcp + "mode: 660 }", "5:40: listen: mode is for a unix socket (address: unix:PATH)"},
      {tcp + "proxy_protocol: unix }",
       "5:50: proxy_protocol: `unix` is for a unix socket (address: unix:PATH)"},
      {at + "proxy_protocol: 10.0.0.0/8 }",
       "5:47: proxy_protocol: peers of a unix socket have no address; write `proxy_protocol: "
       "unix`"},
      {tcp + "proxy_protocol: 10.0.0.1/8 }",
       "5:50: proxy_protocol: expected ADDRESS, ADDRESS/BITS (10.0.0.0/8, fd00::/8) or unix, found "
       "\"10.0.0.1/8\""},
  };
  for (const auto& [yaml, expected] : mistakes) EXPECT_EQ(verdict(least + yaml), expected);
  EXPECT_EQ(verdict(least + "metrics: { listen: \"127.0.0.1:8081\" }"),
            "1:1: metrics.listen is the address of another listener");
}

TEST(errors, found_later_have_the_position_of_their_key) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("tollgate-error-at-" + std::to_string(::getpid()) + ".yaml");
  std::ofstream{file} << "tls: { certificate: a.pem,\n  key: b.pem }\njournal: dir\n"
                         "upstreams:\n  a.b: { ca_file: c.pem }\n";
  const auto at = [&](std::string_view key) {
    const auto error = error_at(file.string(), key, "wrong");
    EXPECT_EQ(error.message, std::string{key} + ": wrong");
    return std::to_string(error.line) + ":" + std::to_string(error.column);
  };
  EXPECT_EQ(at("tls.certificate"), "1:21");
  EXPECT_EQ(at("tls.key"), "2:8");
  EXPECT_EQ(at("journal"), "3:10");
  EXPECT_EQ(at("journal.directory"), "3:10");
  EXPECT_EQ(at("upstreams.a.b.ca_file"), "5:19");
  EXPECT_EQ(at("admin.listen"), "0:0");
  std::filesystem::remove(file);
  EXPECT_EQ(at("tls.key"), "0:0");
}

TEST(errors, a_journal_has_room_for_each_thread) {
  EXPECT_EQ(verdict(least + "journal: { directory: /j, max: 16MiB }\nthreads: 64"), "ok");
  EXPECT_EQ(verdict(least + "journal: { directory: /j, max: 16MiB }\nthreads: 65"),
            "5:32: the journal needs at least 256KiB per thread: 16640KiB for threads: 65");
  EXPECT_EQ(verdict(least + "journal: /j\nthreads: 1024"), "ok");
}

TEST(errors, what_is_not_there_yet) {
  expect_in_line_5({
      {"identity: { jwt: { issuer: x } }",
       "5:13: jwt: identity from JSON Web Tokens is not supported yet"},
      {"identity: { trusted_header: X-Org }",
       "5:13: trusted_header: identity from a trusted header is not supported yet"},
      {"identity: { keys: false }",
       "5:11: identity: keys: must be true; there is no other identification"},
      {"store: rediss://h:1",
       "5:8: store: rediss:// is not supported yet; use redis://, unix:// or embedded:"},
      {"store: redis+sentinel://h:1",
       "5:8: store: redis+sentinel:// is not supported yet; use redis://, unix:// or embedded:"},
      {"store: redis+cluster://h:1",
       "5:8: store: redis+cluster:// is not supported yet; use redis://, unix:// or embedded:"},
  });
}

TEST(errors, places_for_a_key_and_origins) {
  expect_in_line_5({
      {"identity: { key_headers: [api-key, Host] }",
       "5:26: key_headers: \"Host\" is not a header that can carry a key"},
      {"identity: { key_headers: content-type }",
       "5:26: key_headers: \"content-type\" is not a header that can carry a key"},
      {"identity: { key_headers: \"a key\" }",
       "5:26: key_headers: \"a key\" is not a header that can carry a key"},
      {"identity: { key_headers: x-agent-id }",
       "5:11: identity: key_headers: \"x-agent-id\" cannot also name an agent or conversation"},
      {"identity: { key_query: \"a&b\" }",
       "5:24: key_query: expected the name of a query member (key), found \"a&b\""},
      {"identity: { key_query: \"\" }",
       "5:24: key_query: expected the name of a query member (key), found \"\""},
      {"cors: { origins: app.example.com }",
       "5:18: origins: expected origins (https://app.example.com, https://*.example.com, or "
       "\"*\"), found \"app.example.com\""},
      {"cors: { origins: [\"https://x/\"] }",
       "5:18: origins: expected origins (https://app.example.com, https://*.example.com, or "
       "\"*\"), found \"https://x/\""},
      {"cors: { origins: [\"https://a*.x\"] }",
       "5:18: origins: expected origins (https://app.example.com, https://*.example.com, or "
       "\"*\"), found \"https://a*.x\""},
      {"cors: { origins: \"*\", max_age: 2d }", "5:32: max_age: \"2d\" is out of range (0s to 1d)"},
  });
}

TEST(errors, identity_headers_and_token) {
  expect_in_line_5({
      {"identity: { agent: \"X Agent\" }", R"(5:20: agent: "X Agent" is not a header name)"},
      {"identity: { agent: Authorization }",
       "5:20: agent: the API key's header cannot name an agent or a conversation"},
      {"identity: { conversation: X-API-KEY }",
       "5:27: conversation: the API key's header cannot name an agent or a conversation"},
      {"admin: { token: \"a b\" }", "5:17: token: a token must be visible ASCII without blanks"},
      {"admin: { token: \"\xC3\xBC\" }",
       "5:17: token: a token must be visible ASCII without blanks"},
  });
}

TEST(errors, billing_prefix) {
  for (const char* wrong :
       {"/", "v1", "/v1/", "/v1//b", "/v1/../b", "/v1/*", "/v1/{x}", "/v1/b?c", ""}) {
    EXPECT_EQ(verdict(least + "billing: { prefix: \"" + wrong + "\" }"),
              std::string{"5:20: prefix: expected a path (/v1/billing), found \""} + wrong + "\"");
  }
  EXPECT_EQ(verdict(least + "billing: { prefix: /all }"),
            "4:5: route all can never match: /all is the billing API (billing: prefix)");
  EXPECT_EQ(verdict(least + "billing: { prefix: /al }"), "ok");
}

// `body` replaces the upstream of `least`, from column 20 of line 1.
std::string upstream_verdict(const std::string& body) {
  return verdict("upstreams: { main: " + body + " }\n" + least.substr(least.find('\n') + 1));
}

TEST(errors, upstream_urls) {
  const auto url = [](const std::string& text) {
    return upstream_verdict("{ url: \"" + text + "\" }");
  };
  const std::string not_a_url = "1:27: url: expected http:// or https:// and a host, found ";
  for (const char* wrong :
       {"", "api.openai.com", "//x", "ftp://x", "http://", "http:///x", "https:x", "http://x y",
        "http://x:a", "http://x:80a/b", "http://x:1:2", "http://[::1", "http://[::1]a",
        "http://[v1.a]", "http://x%41", "http://x,y", "/x"}) {
    EXPECT_EQ(url(wrong), not_a_url + "\"" + wrong + "\"");
  }
  const std::string cannot = "1:27: url: an upstream's URL cannot have ";
  EXPECT_EQ(url("http://u:p@x"), cannot + "a user or a password (credentials go into headers)");
  EXPECT_EQ(url("ftp://u:p@x"), not_a_url + "something else");
  EXPECT_EQ(url("http://x/?a=b"), cannot + "a query");
  EXPECT_EQ(url("http://x/#a"), cannot + "a fragment");
  EXPECT_EQ(url("http://x/a/../b"), cannot + "a dot segment");
  EXPECT_EQ(url("http://x/a/%2e%2E/b"), cannot + "a dot segment");
  EXPECT_EQ(url("http://x/a%2Fb"), cannot + "an encoded slash");
  EXPECT_EQ(url("http://x/a//b"), cannot + "an empty path segment");
  EXPECT_EQ(url("http://x:0"), cannot + "a port outside 1 to 65535");
  EXPECT_EQ(url("http://x:99999999999999999999"), cannot + "a port outside 1 to 65535");
  EXPECT_EQ(url("http://x:65536"), cannot + "a port outside 1 to 65535");
}

TEST(errors, an_upstream_that_is_told_who_pays) {
  const auto said = [](const std::string& identify, const std::string& more = "") {
    return upstream_verdict("{ url: \"https://x\", identify: " + identify + more + " }");
  };
  EXPECT_EQ(said("perhaps"), "1:50: identify: expected true | false, found \"perhaps\"");
  EXPECT_EQ(said("{ headers: { org: \"\" } }"), "1:50: identify: headers.org must have a name");
  EXPECT_EQ(said("{ headers: { org: \"a b\" } }"), "1:68: org: \"a b\" is not a header name");
  EXPECT_EQ(said("{ headers: { org: Host } }"), "1:68: org: Host is set by the proxy itself");
  EXPECT_EQ(said("{ headers: { org: X-A, agent: x_a } }"), "1:61: headers: \"x_a\" is duplicated");
  EXPECT_EQ(said("{ secret: s, headers: { timestamp: \"\" } }"),
            "1:50: identify: a secret needs names for headers.timestamp and headers.signature");
  EXPECT_EQ(said("{ headers: { org: X-A } }", ", headers: { x-a: b }"),
            "1:20: main: \"X-A\" is set in headers and in identify");
}

std::vector<std::string> warnings_of(const std::string& upstream) {
  const auto loaded =
      load_text("upstreams: { main: " + upstream + " }\n" + least.substr(least.find('\n') + 1),
                "t.yaml", test::table({}));
  std::vector<std::string> out;
  if (const auto* fine = std::get_if<configuration>(&loaded)) {
    for (const auto& warning : fine->warnings) out.push_back(warning_text(warning));
  } else {
    ADD_FAILURE() << "not valid";
  }
  return out;
}

TEST(warnings, of_an_upstream_that_cannot_tell_callers_apart) {
  const std::string key = ", headers: { authorization: \"Bearer x\" }";
  for (const std::string host :
       {"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "[::1]",
        "[fd00::1]", "[fe80::1]", "localhost", "platform", "db.internal", "platform.default.svc",
        "x.local"}) {
    const auto url = "{ url: \"http://" + host + ":9000\"";
    const auto said = warnings_of(url + key + " }");
    ASSERT_EQ(said.size(), 1u) << host;
    EXPECT_TRUE(said[0].starts_with("t.yaml:1:20: warning: main: ")) << said[0];
    EXPECT_EQ(warnings_of(url + ", headers: { X-Api-Key: x } }").size(), 1u);
    EXPECT_TRUE(warnings_of(url + key + ", identify: true }").empty());
    EXPECT_TRUE(warnings_of(url + ", headers: { x-tenant: x } }").empty());
    EXPECT_TRUE(warnings_of(url + ", headers: { authorization: \"\" } }").empty());
  }
  for (const std::string host : {"api.openai.com", "8.8.8.8", "172.32.0.1", "[2606:4700::1111]"}) {
    EXPECT_TRUE(warnings_of("{ url: \"https://" + host + "\"" + key + " }").empty()) << host;
  }
}

// At its key, for every start, reload and check.
TEST(warnings, of_metering_that_is_off) {
  const auto warned = [](const std::string& metering, const test::variables& env = {}) {
    const auto loaded = load_text(least + metering, "t.yaml", test::table(env));
    std::vector<std::string> out;
    for (const auto& each : std::get<configuration>(loaded).warnings)
      out.push_back(warning_text(each));
    return out;
  };
  const std::vector<std::string> off{
      "t.yaml:5:11: warning: metering: off: every call is forwarded, without a key and without a "
      "charge"};
  EXPECT_EQ(warned("metering: off\n"), off);
  EXPECT_EQ(warned("metering: \"${M:-off}\"\n"), off);
  EXPECT_TRUE(warned("metering: \"${M:-off}\"\n", {{"M", "on"}}).empty());
  EXPECT_TRUE(warned("metering: on\n").empty());
  EXPECT_TRUE(warned("").empty());
}

// A setting for clients that leave early, in an older file, also applies to those that leave later.
TEST(warnings, of_work_that_is_done_and_not_charged) {
  const auto warned = [](const std::string& settlement) {
    std::string text = least;
    const std::string_view rate = "rate: ";
    const auto at = text.find(rate, text.find("routes:"));
    text.insert(at, "settlement: " + settlement + ", ");
    const auto loaded = load_text(text, "t.yaml", test::table({}));
    const auto* fine = std::get_if<configuration>(&loaded);
    EXPECT_NE(fine, nullptr) << text;
    return fine == nullptr || fine->warnings.empty() ? "" : warning_text(fine->warnings.front());
  };
  EXPECT_NE(warned("{ client_gone_early: void }")
                .find(": warning: settlement: client_gone_early: void also applies"),
            std::string::npos)
      << warned("{ client_gone_early: void }");
  EXPECT_EQ(warned("{ client_gone_early: void, client_gone_waiting: void }"), "");
  EXPECT_EQ(warned("{ client_gone_early: void, client_gone_waiting: settle }"), "");
  EXPECT_EQ(warned("{ client_gone_early: settle }"), "");
  EXPECT_EQ(warned("{ client_gone: void }"), "");
  EXPECT_EQ(warned("{}"), "");
}

TEST(errors, upstreams) {
  EXPECT_EQ(upstream_verdict("{}"), R"(1:20: main: missing key "url")");
  EXPECT_EQ(upstream_verdict("{ url: \"https://unix:/run/a.sock\" }"),
            "1:27: url: a unix socket cannot have https://; write http://unix:/PATH");
  EXPECT_EQ(upstream_verdict("{ url: \"http://unix:/" + std::string(107, 'a') + "\" }"),
            "1:27: url: the path of a unix socket has at most 107 characters");
  for (const std::string base : {"api", "/a/../b", "/a?b", "//a", "/a b"}) {
    EXPECT_EQ(upstream_verdict("{ url: \"http://unix:/run/a.sock:" + base + "\" }"),
              "1:27: url: expected http://unix:/PATH or http://unix:/PATH:/BASE/PATH")
        << base;
  }
  EXPECT_EQ(upstream_verdict("{ url: \"http://x\", keep_alive: 2d }"),
            R"(1:51: keep_alive: "2d" is out of range (0s to 1d))");
  EXPECT_EQ(upstream_verdict("{ url: \"http://x\", verify: false }"),
            "1:20: main: ca_file and verify are for https:// only");
  EXPECT_EQ(upstream_verdict("{ url: \"http://x\", headers: { \"a b\": c } }"),
            R"(1:50: headers: "a b" is not a header name)");
  EXPECT_EQ(upstream_verdict("{ url: \"http://x\", headers: { Content-Length: 1 } }"),
            "1:50: headers: Content-Length is set by the proxy itself");
  EXPECT_EQ(upstream_verdict("{ url: \"http://x\", headers: { X-Forwarded-For: 1 } }"),
            "1:50: headers: X-Forwarded-For is set by the proxy itself");
  EXPECT_EQ(upstream_verdict("{ url: \"http://x\", headers: { a: 1, A: 2 } }"),
            R"(1:56: headers: "A" is duplicated)");
  EXPECT_EQ(upstream_verdict("{ url: \"http://x\", headers: { a: \" x\" } }"),
            "1:53: a: a header's value cannot begin or end with a blank");
  EXPECT_EQ(upstream_verdict("{ url: \"http://x\", headers: { a: \"x\\r\\nb: c\" } }"),
            "1:53: a: contains a line break or a control character");
  EXPECT_EQ(upstream_verdict("{ url: \"http://x\", headers: { a: \"\xC3\xBC\" } }"),
            "1:53: a: a header's value must be printable ASCII");
  EXPECT_EQ(upstream_verdict("{ url: \"http://x\" }, \"b c\": {}"),
            R"(1:41: upstreams: "b c" is not a name (1 to 64 letters, digits, ".", "_", "-"))");
}

// `body` is the rate "api" of `least`, from column 15 of line 2.
std::string rate_verdict(const std::string& body) {
  return verdict(
      "upstreams: { main: { url: \"http://x\" } }\nrates: { api: " + body +
      " }\nroutes:\n"
      "  - { name: all, match: { path: /all }, upstream: main, action: api, rate: api }\n");
}

TEST(errors, rates) {
  const std::string credits =
      "2:26: credits: expected credits (a decimal with at most 6 places), found ";
  EXPECT_EQ(rate_verdict("{ credits: ten, per: request }"), credits + "\"ten\"");
  EXPECT_EQ(rate_verdict("{ credits: 1e3, per: request }"), credits + "\"1e3\"");
  EXPECT_EQ(rate_verdict("{ credits: .5, per: request }"), credits + "\".5\"");
  EXPECT_EQ(rate_verdict("{ credits: 0.1234567, per: request }"), credits + "\"0.1234567\"");
  EXPECT_EQ(rate_verdict("{ credits: 99999999999, per: request }"), credits + "\"99999999999\"");
  EXPECT_EQ(rate_verdict("{ credits: 0x10, per: request }"), credits + "\"0x10\"");
  EXPECT_EQ(rate_verdict("{ credits: -1, per: request }"), "2:26: credits: \"-1\" is negative");
  EXPECT_EQ(rate_verdict("{ per: request }"), R"(2:15: api: missing key "credits")");
  EXPECT_EQ(
      rate_verdict("{ credits: 1, per: requests }"),
      R"(2:34: per: expected request | query | minute, found "requests"; did you mean "request"?)");
  EXPECT_EQ(rate_verdict("{ credits: 1, per: minute }"),
            "2:15: api: per: minute needs a meter (request_audio or response_audio)");
  EXPECT_EQ(rate_verdict("{ credits: 1, per: query, meter: request_audio }"),
            "2:15: api: meter and increment are for per: minute only");
  EXPECT_EQ(rate_verdict("{ credits: 1, per: request, increment: 1s }"),
            "2:15: api: meter and increment are for per: minute only");
  EXPECT_EQ(rate_verdict("{ credits: 1, per: minute, meter: request_audio, times: /n }"),
            "2:15: api: times is for per: request and per: query; audio is counted as it is");
  EXPECT_EQ(rate_verdict("{ credits: 1, per: request, times: n }"),
            R"(2:50: times: "n" is not a JSON pointer: it must begin with a slash)");
  EXPECT_EQ(rate_verdict("{ credits: 1, per: request, times: [/n, /~2] }"),
            R"(2:50: times: "/~2" has a `~` that is not `~0` or `~1`)");
  EXPECT_EQ(rate_verdict("{ credits: 1, per: request, times: \"\" }"),
            R"(2:50: times: expected text, found "")");
  EXPECT_EQ(rate_verdict("{ credits: 1, per: minute, meter: audio }"),
            R"(2:49: meter: expected request_audio | response_audio, found "audio")");
  EXPECT_EQ(rate_verdict("{ credits: 1, per: minute, meter: request_audio, increment: 0s }"),
            R"(2:75: increment: "0s" is out of range (1ms to 1h))");
}

TEST(errors, plans) {
  expect_in_line_5({
      {"plans: { p: {} }", R"(5:13: p: missing key "credits")"},
      {"plans: { p: { credits: 2000000000, rollover: { up_to: 100%, cycles: 2 } } }",
       "5:24: p: credits with rollover may not exceed 4000000000: credits times (1 + cycles x "
       "up_to)"},
      {"plans: { p: { credits: 1, overage_usd: 0.0000001 } }",
       R"(5:40: overage_usd: expected dollars (a decimal with at most 6 places), found "0.0000001")"},
      {"plans: { p: { credits: 1, top_up_minimum_usd: 1.234 } }",
       R"(5:47: top_up_minimum_usd: expected dollars (a decimal with at most 2 places), found "1.234")"},
      {"plans: { p: { credits: 1, rollover: { up_to: 100, cycles: 1 } } }",
       R"(5:46: up_to: expected a percentage (100%), found "100")"},
      {"plans: { p: { credits: 1, rollover: { up_to: 100% } } }",
       R"(5:37: rollover: missing key "cycles")"},
      {"plans: { p: { custom: true, credits: 1 } }",
       "5:13: p: a plan with custom: true has no terms of its own; they are set per organization"},
      {"plans: { p: { custom: true, overage_usd: 1 } }",
       "5:13: p: a plan with custom: true has no terms of its own; they are set per organization"},
      {"plans: { p: { custom: true, requests: { per_minute: 60, burst: 1 } } }",
       "5:13: p: a plan with custom: true has no terms of its own; they are set per organization"},
      {"plans: { p: { credits: 1, top_up_minimum_usd: 10 } }",
       "5:13: p: top_up_minimum_usd needs overage_usd, the price of a credit"},
      {"plans: { p: { credits: 1, requests: { per_minute: 60 } } }",
       R"(5:37: requests: missing key "burst")"},
  });
}

TEST(errors, archive_and_retention) {
  expect_in_line_5({
      {"archive: {}", "5:10: archive: set postgresql or files"},
      {"archive: { postgresql: \"postgresql://db/x\", files: y }",
       "5:10: archive: set postgresql or files, not both"},
      {"archive: { postgresql: \"mysql://db/x\" }",
       "5:24: postgresql: not a database URL: postgresql://user:password@host:5432/database"},
      {"archive: { postgresql: \"postgresql://db/x\", rotate_every: 1h }",
       "5:10: archive: rotate_size and rotate_every are for files only"},
      {"archive: { file: y }",
       "5:10: archive: set postgresql or files\n"
       R"(5:12: archive: unknown key "file"; did you mean "files"?)"},
      {"archive: { files: y }\nretention: { ledger: 30d }",
       "6:12: retention.ledger needs archive.postgresql: without it the whole ledger is kept"},
      {"retention: { usage: 1d }", R"(5:21: usage: "1d" is out of range (32d to 3660d))"},
      {"retention: { usage_by_hour: 399d }",
       "5:29: retention: usage_by_hour may not be shorter than usage"},
      {"retention: { usage_by_day: 59d }",
       R"(5:28: usage_by_day: "59d" is out of range (60d to 3660d))"},
      {"retention: { idle_totals: 59m }",
       R"(5:27: idle_totals: "59m" is out of range (1h to 3660d))"},
      {"retention: { usage: 40d, usage_by_hour: 80d, usage_by_day: 79d }",
       "5:60: retention: usage_by_day may not be shorter than usage and usage_by_hour"},
      {"retention: { usage_by_day: 399d }",
       "5:28: retention: usage_by_day may not be shorter than usage and usage_by_hour"},
  });
}

TEST(errors, payments) {
  const std::string this_machine =
      "must be https://; http:// is allowed only for 127.0.0.1, [::1] and localhost";
  for (const char* url : {"http://billing.example/", "http://127.0.0.2", "http://10.0.0.1:80/pay",
                          "http://localhost.example", "http://[::2]"}) {
    EXPECT_EQ(verdict(least + "payments: { webhook: { secret: s, url: \"" + url + "\" } }"),
              "5:40: url: " + this_machine)
        << url;
  }
  expect_in_line_5({
      {"payments: { webhook: { url: https://x, secret: s }, stripe: { secret_key: k } }",
       "5:11: payments: set webhook or stripe, not both"},
      {"payments: { timeout: 5s }", "5:11: payments: set webhook or stripe"},
      {"payments: { webhook: { url: https://x } }", R"(5:22: webhook: missing key "secret")"},
      {"payments: { webhook: { url: https://x, secret: \"\" } }",
       R"(5:48: secret: expected text, found "")"},
      {"payments: { stripe: {} }", R"(5:21: stripe: missing key "secret_key")"},
      {"payments: { stripe: { secret_key: \"a b\" } }",
       "5:35: secret_key: a secret key must be visible ASCII without blanks"},
      {"payments: { stripe: { secret_key: k, url: \"https://x/?a=b\" } }",
       "5:43: url: this URL cannot have a query"},
      {"payments: { webhook: { secret: s, url: \"https://u:p@x\" } }",
       "5:40: url: this URL cannot have a user or a password"},
      {"payments: { webhook: { secret: s, url: \"https://x:0/\" } }",
       "5:40: url: this URL cannot have a port outside 1 to 65535"},
      {"payments: { webhook: { secret: s, url: \"http://127.0.0.1\", ca_file: ca.pem } }",
       "5:22: webhook: ca_file is for https:// only"},
      {"payments: { webhook: { secret: s, url: \"https://x\" }, timeout: 99ms }",
       R"(5:64: timeout: "99ms" is out of range (100ms to 5m))"},
      {"payments: { stripe: { secret_key: k, webhook_secret: [a, b, c] } }",
       "5:54: webhook_secret: at most two secrets: the new one and the old one"},
      {"payments: { stripe: { secret_key: k, listen: 127.0.0.1:8082 } }",
       "5:21: stripe: listen, refunds and disputes need webhook_secret"},
      {"payments: { stripe: { secret_key: k, webhook_secret: s, refunds: half } }",
       R"(5:66: refunds: expected take_back | keep, found "half")"},
      {"payments: { strip: {} }",
       "5:11: payments: set webhook or stripe\n"
       R"(5:13: payments: unknown key "strip"; did you mean "stripe"?)"},
  });
}

TEST(errors, webhooks) {
  expect_in_line_5({
      {"webhooks: { timeout: 99ms }", R"(5:22: timeout: "99ms" is out of range (100ms to 1m))"},
      {"webhooks: { retries: 5s }",
       R"(5:22: retries: expected a list of 1 to 32 durations, found "5s")"},
      {"webhooks: { retries: [] }",
       "5:22: retries: expected a list of 1 to 32 durations, found a list"},
      {"webhooks: { retries: [0s, x] }",
       R"(5:27: retries: expected a duration (250ms, 60s, 5m, 2h), found "x")"},
      {"webhooks: { retries: [5s, 1m] }", "5:23: retries: the first pause must be 0s"},
      {"webhooks: { allow_private: maybe }",
       R"(5:28: allow_private: expected true | false, found "maybe")"},
  });
}

// `body` replaces the only route of `least`, from column 5 of line 4.
std::string route_verdict(const std::string& body) {
  return verdict(least.substr(0, least.find("  - ")) + "  - " + body + "\n");
}

TEST(errors, routes) {
  EXPECT_EQ(route_verdict("{ name: all, upstream: main, action: api, rate: api }"),
            R"(4:5: routes: missing key "match")");
  EXPECT_EQ(route_verdict("{}"),
            "4:5: routes: missing key \"action\"\n4:5: routes: missing key \"match\"\n"
            "4:5: routes: missing key \"name\"\n4:5: routes: missing key \"rate\"\n"
            "4:5: routes: missing key \"upstream\"");
  EXPECT_EQ(route_verdict("").substr(0, 5), "4:3: ");
  EXPECT_EQ(verdict(least.substr(0, least.find("routes:")) + "routes:\n"),
            "3:1: routes: expected a list of routes, found nothing");
  EXPECT_EQ(verdict(least.substr(0, least.find("routes:")) + "routes: []\n"),
            "3:9: routes: expected 1 to 1000 routes, found 0");
  EXPECT_EQ(route_verdict("text"), R"(4:5: routes: expected a map of keys, found "text")");
  EXPECT_EQ(route_verdict("{ name: a, match: {}, upstream: mian, action: api, rate: api }"),
            R"(4:37: upstream: unknown upstream: "mian"; did you mean "main"?)");
  EXPECT_EQ(route_verdict("{ name: a, match: {}, upstream: main, action: api, rate: apy }"),
            R"(4:62: rate: unknown rate: "apy"; did you mean "api"?)");
  EXPECT_EQ(
      route_verdict("{ name: a, match: { pth: /x }, upstream: main, action: api, rate: api }"),
      R"(4:25: match: unknown key "pth"; did you mean "path"?)");
  EXPECT_EQ(route_verdict("{ name: a b, match: {}, upstream: main, action: api, rate: api }"),
            R"(4:13: name: expected a name (1 to 64 letters, digits, ".", "_", "-"), found "a b")");
  EXPECT_EQ(
      route_verdict("{ name: a, match: {}, upstream: main, action: api, rate: api, mode: dry }"),
      R"(4:73: mode: expected enforce | shadow, found "dry")");
  EXPECT_EQ(
      route_verdict(
          "{ name: a, match: {}, upstream: main, action: api, rate: api, dialect: open-ai }"),
      R"(4:76: dialect: expected platform | openai | anthropic, found "open-ai"; did you mean "openai"?)");
  EXPECT_EQ(route_verdict("{ name: a, match: {}, upstream: main, action: api, rate: api, "
                          "settlement: { refused: charge } }"),
            R"(4:90: refused: expected settle | void, found "charge")");
  EXPECT_EQ(route_verdict("{ name: a, match: { json: { model: [] } }, upstream: main, action: api, "
                          "rate: api }"),
            "4:40: model: expected 1 to 64 values, found 0");
  EXPECT_EQ(route_verdict("{ name: a, match: { json: { model: x, /model: y } }, upstream: main, "
                          "action: api, rate: api }"),
            R"(4:43: json: "/model" is duplicated)");
  EXPECT_EQ(route_verdict("{ name: a, match: { headers: { X-A: x, x-a: y } }, upstream: main, "
                          "action: api, rate: api }"),
            R"(4:44: headers: "x-a" is duplicated)");
}

TEST(errors, in_what_a_route_says_of_audio) {
  const auto audio = [](const std::string& rate, const std::string& text) {
    return verdict(R"(upstreams: { main: { url: "http://127.0.0.1:9000" } }
rates: { api: { credits: 0.1, per: request },
         up: { credits: 3, per: minute, meter: request_audio },
         down: { credits: 5, per: minute, meter: response_audio } }
routes:
  - { name: all, match: {}, upstream: main, action: a, rate: )" +
                   rate + ", audio: " + text + " }\n");
  };
  EXPECT_EQ(
      audio("down", "{ estimate: { characters: /input, per_second: 12 }, on_exhausted: cut }"),
      "ok");
  EXPECT_EQ(audio("up", "{ part: audio, on_unmeasurable: estimate, bit_rate: 32000 }"), "ok");
  EXPECT_EQ(audio("up", "{ pcm: { rate: 16000, channels: 1, bits: 16 } }"), "ok");
  EXPECT_EQ(audio("up", "{ pcm: { rate: 16000, channels: 1, bits: 12 } }"),
            "6:114: pcm: bits must be whole bytes: 8, 16, 24, 32 or 64");
  EXPECT_EQ(audio("up", "{ prt: file }"),
            R"(6:75: audio: unknown key "prt"; did you mean "part"?)");
  EXPECT_EQ(
      audio("up", "{ json: input }"),
      R"(6:5: route "all": audio.json "input" is not a JSON pointer: it must begin with a slash)");
  EXPECT_EQ(audio("api", "{ part: file }"),
            R"(6:5: route "all": `audio` needs a rate with a meter, but rate "api" has no meter)");
  EXPECT_EQ(audio("down", "{ on_unmeasurable: refuse }"),
            "6:5: route \"all\": an answer cannot be refused after the upstream gave it; "
            "on_unmeasurable must be estimate");
  EXPECT_EQ(audio("up", "{ estimate: { characters: /input } }"),
            "6:5: route \"all\": `characters` estimates an answer, but rate \"up\" "
            "meters the request");
  EXPECT_EQ(audio("up", "{ on_exhausted: cut }"),
            "6:5: route \"all\": `on_exhausted` is for answers: an upload that exceeds the credits "
            "is always refused");
  EXPECT_EQ(audio("down", "{ estimate: { at_least: 2m, at_most: 1m } }"),
            R"(6:5: route "all": `at_least` is more than `at_most`)");
}

TEST(errors, what_the_route_table_finds_is_reported_where_the_route_stands) {
  const std::string found = verdict(
      least + R"(  - { name: all, match: { path: /b }, upstream: main, action: api, rate: api }
  - { name: again, match: { path: /all }, upstream: main, action: api, rate: api }
  - { name: bad, match: { method: post, path: b }, upstream: main, action: api, rate: api }
  - { name: counted, match: { path: /c }, upstream: main, action: api, rate: api, count: /q }
)");
  EXPECT_EQ(found.substr(0, found.find(':')), "5");
  for (const char* place : {"5:5: ", "\n6:5: ", "\n7:5: ", "\n8:5: "}) {
    EXPECT_NE(found.find(place), std::string::npos) << place << found;
  }
}

TEST(errors, a_broken_rate_is_not_reported_again_by_its_routes) {
  EXPECT_EQ(rate_verdict("{ credits: x, per: request }"),
            "2:26: credits: expected credits (a decimal with at most 6 places), found \"x\"");
}

TEST(errors, all_at_once_in_the_order_of_the_file) {
  EXPECT_EQ(verdict(R"(listen: nowhere
rates: { api: { credits: 0.1, per: call } }
upstreams: { main: { url: nope } }
routes:
  - { name: all, match: { path: /all }, upstream: man, action: api, rate: ap, x: y }
threads: none
)"),
            R"(1:9: listen: expected ADDRESS:PORT (127.0.0.1:8080, [::1]:8080), found "nowhere"
2:36: per: expected request | query | minute, found "call"
3:27: url: expected http:// or https:// and a host, found "nope"
5:51: upstream: unknown upstream: "man"; did you mean "main"?
5:75: rate: unknown rate: "ap"; did you mean "api"?
5:79: routes: unknown key "x"
6:10: threads: expected a whole number (0 to 1024), found "none")");
}

TEST(errors, an_alias_that_is_wrong_is_reported_once_where_it_is_written) {
  EXPECT_EQ(verdict(least + "timeouts: { connect: &t 5, idle: *t, total: *t }"),
            "5:22: connect: expected a duration (250ms, 60s, 5m, 2h), found \"5\"\n"
            "5:22: idle: expected a duration (250ms, 60s, 5m, 2h), found \"5\"\n"
            "5:22: total: expected a duration (250ms, 60s, 5m, 2h), found \"5\"");
}

TEST(errors, what_a_variable_contains_is_never_shown) {
  const test::variables env{{"SECRET", "hunter2 \xC3\xBC"}, {"EMPTY", ""}, {"LINES", "a\nhunter2"}};
  const auto found = [&](const std::string& line) { return verdict(least + line, env); };
  EXPECT_EQ(
      found("threads: \"${SECRET}\""),
      R"(5:10: threads: expected a whole number (0 to 1024), found the value of "${SECRET}")");
  EXPECT_EQ(found("threads: \"${EMPTY}\""),
            R"(5:10: threads: expected a whole number (0 to 1024), found the value of "${EMPTY}")");
  EXPECT_EQ(found("listen: \"${SECRET}\"").find("hunter2"), std::string::npos);
  const std::string unknown =
      "5:8: store: unknown kind of store; use redis://HOST:PORT, unix:///PATH or "
      "embedded:DIRECTORY";
  EXPECT_EQ(found("store: \"${SECRET}\""), unknown);
  EXPECT_EQ(found("store: \"redis:hunter2\""), unknown);
  EXPECT_EQ(found("store: \"redis://:hunter2%@h\"").find("hunter2"), std::string::npos);
  EXPECT_EQ(found("admin: { token: \"${SECRET}\" }"),
            "5:17: token: a token must be visible ASCII without blanks");
  EXPECT_EQ(found("log: { access: \"${LINES}\" }"),
            "5:16: access: the environment variable LINES is not one line of plain UTF-8 text");
  for (const char* key : {"threads", "metering", "timeouts: { idle", "limits: { head",
                          "log: { level", "identity: { agent", "billing: { prefix",
                          "plans: { p: { credits", "plans: { p: { credits: 1, overage_usd"}) {
    std::string line = std::string{key} + ": \"${SECRET}\"";
    for (const char c : std::string{key}) line += c == '{' ? " }" : "";
    const std::string message = found(line);
    EXPECT_NE(message, "ok") << line;
    EXPECT_EQ(message.find("hunter2"), std::string::npos) << message;
  }
}

TEST(errors, variables) {
  expect_in_line_5({
      {"threads: ${NOPE}",
       "5:10: threads: the environment variable NOPE is not set (${NOPE:-default} would allow "
       "that)"},
      {"threads: $NOPE", "5:10: threads: write ${NAME}, ${NAME:-default}, or $$ for a dollar sign"},
      {"\"${NOPE}\": 1", "5:1: unknown key \"${NOPE}\""},
  });
}

TEST(errors, long_text_is_cut_in_messages) {
  const std::string shown = verdict(least + "threads: " + std::string(10'000, 'x'));
  EXPECT_EQ(shown, "5:10: threads: expected a whole number (0 to 1024), found \"" +
                       std::string(80, 'x') + "...\"");
}

TEST(errors, a_file_that_is_wrong_everywhere_gets_a_bounded_answer) {
  std::string text = least;
  for (int i = 0; i < 5000; ++i) text.append("k").append(std::to_string(i)).append(": 1\n");
  const auto loaded = load_text(text, "t.yaml", test::table({}));
  const auto& errors = std::get<std::vector<config_error>>(loaded);
  ASSERT_EQ(errors.size(), 1001u);
  EXPECT_EQ(errors.back().message, "and 4000 more problems");
}

TEST(errors, variables_cannot_add_without_bound) {
  std::string text = least + "plans:\n";
  for (int i = 0; i < 40; ++i) text += "  p" + std::to_string(i) + ": { credits: \"${BIG}\" }\n";
  const std::string found = verdict(text, {{"BIG", std::string(200'000, '1')}});
  EXPECT_NE(found.find("credits: the environment variables up to here add more than 4 MiB"),
            std::string::npos);
}

TEST(errors, a_file_that_cannot_be_read) {
  const auto loaded = load_file("/nowhere/t.yaml", test::table({}));
  const auto& errors = std::get<std::vector<config_error>>(loaded);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(to_string(errors[0]), "/nowhere/t.yaml: cannot be opened: No such file or directory");
  const auto directory = load_file("/", test::table({}));
  ASSERT_TRUE(std::holds_alternative<std::vector<config_error>>(directory));
}

}  // namespace
}  // namespace tollgate::config
