#include "proxy/gateway/headers.hpp"

#include <ostream>

#include <gmock/gmock.h>

#include "tests/support/moments.hpp"

namespace tollgate::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;

// A head as it arrives, and its forms when forwarded to the upstream and to the client.
class arrived {
 public:
  explicit arrived(const std::string& fields, const std::string& line = "POST /v1/x HTTP/1.1") {
    const auto failed =
        reader_.read_head(line + "\r\nHost: api.example.com:8080\r\n" + fields + "\r\n");
    EXPECT_FALSE(failed) << failed.message();
    hops = strip_hop_by_hop(reader_.head());
  }

  std::string sent_upstream(const config::upstream_settings& upstream, request_facts facts) {
    facts.upstream = &upstream;
    facts.authority = "upstream:9000";
    facts.target = &target;
    facts.request_id = "request-1";
    if (facts.peer.empty()) facts.peer = "192.0.2.7";
    std::string out;
    write_request_head(out, reader_.head(), facts, ids_);
    return out;
  }
  std::string sent_upstream() { return sent_upstream({}, {}); }

  message_head& head() { return reader_.head(); }

  routes::clean_target target{"api.example.com", "/v1/x", ""};
  hop_by_hop hops;

 private:
  request_reader reader_;
  quota::random_id_source ids_{7};
};

// The values of all fields of that name, in a head as it is written.
std::vector<std::string> values(const std::string& head, const std::string& name) {
  std::vector<std::string> found;
  for (std::size_t at = head.find("\r\n"); at != std::string::npos;
       at = head.find("\r\n", at + 2)) {
    const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.starts_with(name + ": ")) found.push_back(line.substr(name.size() + 2));
  }
  return found;
}

std::string value(const std::string& head, const std::string& name) {
  const auto all = values(head, name);
  EXPECT_EQ(all.size(), 1u) << name << " in\n" << head;
  return all.empty() ? "" : all.front();
}

// --- the request line and framing ----------------------------------------------------------------

TEST(request_head, is_written_for_the_upstream) {
  arrived request{"Accept: */*\r\n", "PATCH /v1/../v1/x?a=b HTTP/1.1"};
  request.target.query = "a=b";
  config::upstream_settings upstream;
  upstream.base_path = "/api";
  const auto out = request.sent_upstream(upstream, {});
  EXPECT_TRUE(
      out.starts_with("PATCH /api/v1/x?a=b HTTP/1.1\r\nHost: upstream:9000\r\nAccept: */*\r\n"))
      << out;
  EXPECT_TRUE(out.ends_with("\r\n\r\n"));
}

// The upstream is told the same media type by which the call was priced.
TEST(request_head, says_of_a_body_what_was_read) {
  arrived request{
      "Content-Type: application/json; v=1; x=\"charset=utf-7\"\r\n"
      "Content-Transfer-Encoding: base64\r\n"};
  const auto as_read = request.sent_upstream({}, {.content_type = "application/json"});
  EXPECT_EQ(value(as_read, "Content-Type"), "application/json");
  EXPECT_THAT(as_read, Not(HasSubstr("Transfer-Encoding: base64")));
  EXPECT_THAT(as_read, Not(HasSubstr("utf-7")));
  EXPECT_THAT(request.sent_upstream(), HasSubstr("utf-7"));  // a body that decides nothing
  config::upstream_settings upstream;
  upstream.headers = {{"Content-Type", "text/plain"}};
  EXPECT_EQ(
      value(request.sent_upstream(upstream, {.content_type = "application/json"}), "Content-Type"),
      "text/plain");
}

TEST(request_head, announces_the_body_as_it_is_sent) {
  arrived counted{"Content-Length: 7\r\n"};
  EXPECT_EQ(value(counted.sent_upstream({}, {.body = {framing::length, 9}}), "Content-Length"),
            "9");
  arrived chunked{"Transfer-Encoding: chunked\r\n"};
  const auto out = chunked.sent_upstream({}, {.body = {framing::chunked, 0}});
  EXPECT_EQ(value(out, "Transfer-Encoding"), "chunked");
  EXPECT_THAT(out, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(arrived{""}.sent_upstream(), Not(HasSubstr("Content-Length")));
}

// The classifier uses these fields to see whether a body follows.
TEST(request_head, still_says_that_a_body_follows_when_it_is_classified) {
  arrived counted{"Connection: content-length\r\nContent-Length: 7\r\n"};
  EXPECT_EQ(counted.head().request().header("content-length"), "7");
  arrived chunked{"Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n"};
  EXPECT_EQ(chunked.head().request().count("transfer-encoding"), 1u);
}

// --- hop by hop ----------------------------------------------------------------------------------

TEST(request_head, leaves_the_connections_own_fields_behind) {
  const auto out =
      arrived{
          "Connection: close\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n"
          "Proxy-Authorization: Basic x\r\nTE: trailers\r\nTrailer: X-Sum\r\nUpgrade: h2c\r\n"
          "HTTP2-Settings: AAMAAABk\r\nExpect: 100-continue\r\nAccept: */*\r\n"}
          .sent_upstream();
  for (const std::string name : {"Connection", "Keep-Alive", "Proxy-", "TE", "Trailer", "Upgrade",
                                 "HTTP2-Settings", "Expect"}) {
    EXPECT_THAT(out, Not(HasSubstr("\r\n" + name))) << name;
  }
  EXPECT_EQ(value(out, "Accept"), "*/*");
}

TEST(request_head, leaves_behind_what_connection_names) {
  arrived request{
      "Connection: X-One, keep-alive ,x-TWO,,\r\nX-One: 1\r\nx-two: 2\r\nX-Three: 3\r\n"
      "Connection: x-four\r\nX-Four: 4\r\n"};
  const auto out = request.sent_upstream();
  for (const std::string gone : {"X-One", "x-two", "X-Four", "Connection"}) {
    EXPECT_THAT(out, Not(HasSubstr(gone)));
  }
  EXPECT_EQ(value(out, "X-Three"), "3");
  EXPECT_EQ(request.head().request().count("x-one"), 0u);
}

TEST(request_head, host_is_never_left_behind) {
  arrived request{"Connection: host\r\n"};
  EXPECT_EQ(request.head().find(http::field::host), "api.example.com:8080");
}

TEST(hop_by_hop_fields, say_what_the_client_wants) {
  EXPECT_TRUE(arrived{"TE: gzip, trailers;q=1\r\n"}.hops.accepts_trailers);
  EXPECT_FALSE(arrived{"TE: xtrailers\r\n"}.hops.accepts_trailers);
  EXPECT_TRUE(arrived{"Expect: 100-Continue\r\n"}.hops.expects_continue);
  EXPECT_TRUE(arrived{"Expect: 200-ok\r\n"}.hops.unknown_expectation);
  EXPECT_TRUE(arrived{"Expect: 100-continue\r\nExpect: magic\r\n"}.hops.unknown_expectation);
  EXPECT_TRUE(arrived{"Expect: 100-continue, magic\r\n"}.hops.unknown_expectation);
  EXPECT_FALSE(arrived{""}.hops.unknown_expectation);
}

// RFC 9110 section 10.1.1: HTTP/1.0 has neither Expect nor interim answers.
TEST(hop_by_hop_fields, an_expectation_in_http_1_0_is_ignored) {
  const auto hops = arrived{"Expect: 100-continue\r\n", "POST / HTTP/1.0"}.hops;
  EXPECT_FALSE(hops.expects_continue);
  EXPECT_FALSE(hops.unknown_expectation);
}

TEST(hop_by_hop_fields, a_websocket_is_a_get_without_a_body) {
  const std::string upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n";
  const std::string get = "GET /v1/realtime HTTP/1.1";
  EXPECT_TRUE((arrived{upgrade, get}.hops.websocket));
  EXPECT_TRUE((arrived{upgrade + "Content-Length: 0\r\n", get}.hops.websocket));
  EXPECT_FALSE((arrived{upgrade, "POST /v1/realtime HTTP/1.1"}.hops.websocket));
  EXPECT_FALSE((arrived{upgrade, "GET /v1/realtime HTTP/1.0"}.hops.websocket));
  EXPECT_FALSE((arrived{upgrade + "Content-Length: 5\r\n", get}.hops.websocket));
  EXPECT_FALSE((arrived{upgrade + "Transfer-Encoding: chunked\r\n", get}.hops.websocket));
  EXPECT_FALSE((arrived{"Upgrade: websocket\r\n", get}.hops.websocket));
  EXPECT_FALSE((arrived{"Connection: upgrade\r\nUpgrade: h2c\r\n", get}.hops.websocket));
  EXPECT_FALSE((arrived{"Connection: upgrade\r\nUpgrade: websocket, h2c\r\n", get}.hops.websocket));
}

TEST(request_head, asks_for_a_websocket_where_the_client_did) {
  arrived request{"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n",
                  "GET /v1/realtime HTTP/1.1"};
  const auto out = request.sent_upstream({}, {.websocket = true});
  EXPECT_EQ(value(out, "Connection"), "Upgrade");
  EXPECT_EQ(value(out, "Upgrade"), "websocket");
  EXPECT_EQ(value(out, "Sec-WebSocket-Key"), "x");
}

// --- credentials ---------------------------------------------------------------------------------

TEST(request_head, never_carries_the_callers_key) {
  const std::string key = "Authorization: Bearer KEY\r\nx-api-key: KEY\r\nX_API_KEY: KEY\r\n";
  EXPECT_THAT(arrived{key}.sent_upstream(), Not(HasSubstr("KEY")));
  config::upstream_settings forwarding;
  forwarding.forward_key = true;
  const auto out = arrived{key}.sent_upstream(forwarding, {});
  EXPECT_EQ(value(out, "Authorization"), "Bearer KEY");
  EXPECT_EQ(value(out, "x-api-key"), "KEY");
}

TEST(request_head, carries_the_upstreams_own_fields_over_the_clients) {
  config::upstream_settings upstream;
  upstream.headers = {{"authorization", "Bearer OURS"}, {"x-tenant-id", "t1"}};
  upstream.forward_key = true;
  const auto out =
      arrived{
          "Authorization: Bearer THEIRS\r\nX-Tenant-Id: t2\r\nX_Tenant_ID: t3\r\n"
          "X-Tenant: t4\r\n"}
          .sent_upstream(upstream, {});
  EXPECT_EQ(value(out, "authorization"), "Bearer OURS");
  EXPECT_EQ(value(out, "x-tenant-id"), "t1");
  EXPECT_EQ(value(out, "X-Tenant"), "t4");
  EXPECT_THAT(out, Not(HasSubstr("THEIRS")));
  EXPECT_THAT(out, Not(HasSubstr("t2")));
  EXPECT_THAT(out, Not(HasSubstr("t3")));
}

// --- fields that would make the upstream see another request -------------------------------------

class misleading_field : public testing::TestWithParam<std::string> {};

TEST_P(misleading_field, is_dropped) {
  EXPECT_THAT(arrived{GetParam() + ": MARK\r\n"}.sent_upstream(), Not(HasSubstr("MARK")));
}

INSTANTIATE_TEST_SUITE_P(names, misleading_field,
                         testing::Values("X-HTTP-Method-Override", "x-http-method-override",
                                         "X-HTTP-Method", "X-Method-Override", "X-Original-URL",
                                         "X-Rewrite-URL", "X_HTTP_Method_Override",
                                         "X_Original_URL", "x_rewrite-url", "X-Forwarded_Proto",
                                         "X_Forwarded_Host", "Content_Length", "Transfer_Encoding",
                                         "Proxy_Connection"));

TEST(request_head, passes_other_underscores_on) {
  EXPECT_EQ(value(arrived{"Session_Id: 1\r\n"}.sent_upstream(), "Session_Id"), "1");
}

// --- where the request came from -----------------------------------------------------------------

TEST(request_head, says_where_the_request_came_from) {
  const auto out = arrived{""}.sent_upstream();
  EXPECT_EQ(value(out, "X-Forwarded-For"), "192.0.2.7");
  EXPECT_EQ(value(out, "X-Forwarded-Proto"), "http");
  EXPECT_EQ(value(out, "X-Forwarded-Host"), "api.example.com:8080");
  EXPECT_EQ(value(out, "Forwarded"), "for=192.0.2.7;host=\"api.example.com:8080\";proto=http");
  EXPECT_EQ(value(out, "Via"), "1.1 tollgate");
  EXPECT_EQ(value(out, "X-Request-Id"), "request-1");
}

TEST(request_head, appends_to_the_way_so_far) {
  const auto out =
      arrived{
          "X-Forwarded-For: 198.51.100.1\r\nForwarded: for=198.51.100.1\r\nVia: 1.0 a, 1.1 b\r\n"
          "x-forwarded-for: 198.51.100.2\r\nX-Forwarded-Proto: gopher\r\n"
          "X-Forwarded-Host: evil\r\n",
          "GET / HTTP/1.0"}
          .sent_upstream({}, {.peer = "2001:db8::1", .secure = true});
  EXPECT_EQ(value(out, "X-Forwarded-For"), "198.51.100.1, 198.51.100.2, 2001:db8::1");
  EXPECT_EQ(value(out, "X-Forwarded-Proto"), "https");
  EXPECT_EQ(value(out, "X-Forwarded-Host"), "api.example.com:8080");
  EXPECT_EQ(value(out, "Forwarded"),
            "for=198.51.100.1, for=\"[2001:db8::1]\";host=\"api.example.com:8080\";proto=https");
  EXPECT_EQ(value(out, "Via"), "1.0 a, 1.1 b, 1.0 tollgate");
}

TEST(request_head, does_not_tell_a_vendor_where_the_request_came_from) {
  const std::string way =
      "X-Forwarded-For: 198.51.100.1\r\nForwarded: for=198.51.100.1\r\nVia: 1.0 a\r\n"
      "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n";
  config::upstream_settings vendor;
  vendor.forwarded = vendor.via = false;
  const auto told = arrived{way}.sent_upstream(vendor, {});
  for (const char* name :
       {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via"}) {
    EXPECT_TRUE(values(told, name).empty()) << name;
  }
  EXPECT_EQ(told.find("192.0.2.7"), std::string::npos);
  vendor.via = true;
  EXPECT_EQ(value(arrived{way}.sent_upstream(vendor, {}), "Via"), "1.0 a, 1.1 tollgate");
  vendor.via = false;
  vendor.forwarded = true;
  const auto out = arrived{way}.sent_upstream(vendor, {});
  EXPECT_EQ(value(out, "X-Forwarded-For"), "198.51.100.1, 192.0.2.7");
  EXPECT_TRUE(values(out, "Via").empty());
}

TEST(request_head, does_not_claim_a_host_that_nobody_named) {
  request_reader reader;
  ASSERT_FALSE(reader.read_head("GET / HTTP/1.0\r\n\r\n"));
  strip_hop_by_hop(reader.head());
  const routes::clean_target target{"", "/", ""};
  const config::upstream_settings upstream;
  quota::random_id_source ids{1};
  std::string out;
  write_request_head(out, reader.head(),
                     {.upstream = &upstream,
                      .authority = "u",
                      .target = &target,
                      .request_id = "r",
                      .peer = "192.0.2.7"},
                     ids);
  EXPECT_TRUE(values(out, "X-Forwarded-Host").empty());
  EXPECT_EQ(value(out, "Forwarded"), "for=192.0.2.7;proto=http");
}

// --- request id and trace context ----------------------------------------------------------------

TEST(request_id, is_the_clients_where_it_is_fit) {
  quota::random_id_source ids{1};
  const auto chosen = [&](const std::string& value) {
    return choose_request_id(arrived{"X-Request-Id: " + value + "\r\n"}.head(), ids);
  };
  EXPECT_EQ(chosen("abc-123_X.y:z"), "abc-123_X.y:z");
  EXPECT_EQ(chosen(std::string(128, 'a')), std::string(128, 'a'));
  for (const std::string unfit : {"", "a b", "a\"b", "<script>", "a,b", "{}", "\xc3\xa4"}) {
    EXPECT_EQ(chosen(unfit).size(), 32u) << unfit;
  }
  EXPECT_EQ(chosen(std::string(129, 'a')).size(), 32u);
}

TEST(request_head, replaces_the_clients_request_id) {
  EXPECT_EQ(value(arrived{"x-request-id: theirs\r\n"}.sent_upstream(), "X-Request-Id"),
            "request-1");
}

const std::string valid_trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(trace_context, passes_as_it_came) {
  const auto out =
      arrived{"traceparent: " + valid_trace + "\r\ntracestate: a=b\r\n"}.sent_upstream();
  EXPECT_EQ(value(out, "traceparent"), valid_trace);
  EXPECT_EQ(value(out, "tracestate"), "a=b");
}

TEST(trace_context, begins_anew_where_there_is_none_or_a_broken_one) {
  for (const std::string fields :
       {"", "traceparent: \r\n", "traceparent: 00-0af7\r\n",
        "traceparent: ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
        "traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01\r\n",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01\r\n",
        "traceparent: 00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01\r\n",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01\r\n",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x\r\n"}) {
    const auto out = arrived{fields + "tracestate: a=b\r\n"}.sent_upstream();
    const auto made = value(out, "traceparent");
    EXPECT_EQ(made.size(), 55u);
    EXPECT_TRUE(made.starts_with("00-"));
    EXPECT_TRUE(made.ends_with("-00"));
    EXPECT_TRUE(values(out, "tracestate").empty()) << "it belonged to the other trace";
  }
}

TEST(trace_context, two_of_them_are_none) {
  const auto out =
      arrived{"traceparent: " + valid_trace + "\r\ntraceparent: " + valid_trace + "\r\n"}
          .sent_upstream();
  EXPECT_NE(value(out, "traceparent"), valid_trace);
}

// --- responses -----------------------------------------------------------------------------------

std::string sent_to_client(const std::string& fields, response_facts facts,
                           const std::string& line = "HTTP/1.1 200 OK") {
  response_reader reader;
  const auto failed = reader.read_head(line + "\r\n" + fields + "\r\n");
  EXPECT_FALSE(failed) << failed.message();
  strip_hop_by_hop(reader.head());
  facts.request_id = "request-1";
  std::string out;
  write_response_head(out, reader.head(), facts);
  return out;
}

TEST(response_head, passes_the_upstreams_fields) {
  const auto out = sent_to_client("Content-Type: text/plain\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n",
                                  {}, "HTTP/1.0 404 Not Here");
  EXPECT_TRUE(out.starts_with("HTTP/1.1 404 Not Here\r\nContent-Type: text/plain\r\n")) << out;
  EXPECT_EQ(values(out, "Set-Cookie"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(value(out, "X-Request-Id"), "request-1");
  EXPECT_TRUE(out.ends_with("\r\n\r\n"));
}

TEST(response_head, leaves_the_connections_own_fields_behind) {
  const auto out = sent_to_client(
      "Connection: close, X-Secret\r\nX-Secret: MARK\r\nKeep-Alive: MARK\r\nTrailer: MARK\r\n"
      "Proxy-Authenticate: MARK\r\nUpgrade: MARK\r\nContent-Length: 5\r\n",
      {});
  EXPECT_THAT(out, Not(HasSubstr("MARK")));
  EXPECT_THAT(out, Not(HasSubstr("Connection")));
  EXPECT_THAT(out, Not(HasSubstr("Content-Length")));
}

TEST(response_head, announces_body_and_connection_as_they_are_sent) {
  const auto chunked = sent_to_client("Content-Length: 5\r\n", {.body = {framing::chunked, 0}});
  EXPECT_EQ(value(chunked, "Transfer-Encoding"), "chunked");
  EXPECT_THAT(chunked, Not(HasSubstr("Content-Length")));
  const auto counted = sent_to_client("", {.body = {framing::length, 0}, .close = true});
  EXPECT_EQ(value(counted, "Content-Length"), "0");
  EXPECT_EQ(value(counted, "Connection"), "close");
  EXPECT_EQ(value(sent_to_client("", {.client_is_1_0 = true}), "Connection"), "keep-alive");
  EXPECT_EQ(value(sent_to_client("", {.close = true, .client_is_1_0 = true}), "Connection"),
            "close");
}

TEST(response_head, tells_what_was_charged_and_what_is_left) {
  const auto remaining = quota::credits::from_micro(7'500'000);
  const auto charged = quota::credits::from_micro(100'000);
  const auto out = sent_to_client(
      "X-Credits-Charged: 0\r\nx-credits-remaining: 999\r\n"
      "RateLimit: \"x\";r=9\r\nRateLimit-Policy: \"x\";q=9\r\n",
      {.account = {.remaining = &remaining, .charged = &charged}});
  EXPECT_EQ(value(out, "X-Credits-Remaining"), "7.5");
  EXPECT_EQ(value(out, "X-Credits-Charged"), "0.1");
  EXPECT_EQ(value(out, "RateLimit"), "\"credits\";r=7");
  EXPECT_TRUE(values(out, "RateLimit-Policy").empty());
  EXPECT_TRUE(values(out, "x-credits-remaining").empty());
}

using tests::noon;

// 60 per minute, a burst of 100, 7 of them left: 93 seconds until the bucket is full.
constexpr quota::rate_status starter{60, 100, 7, noon + std::chrono::milliseconds{92'400}};

TEST(response_head, tells_how_many_requests_may_come) {
  const auto remaining = quota::credits::from_micro(7'500'000);
  const auto allocation = quota::credits::from_whole(20'000);
  const auto out = sent_to_client(
      "X-RateLimit-Limit: 9\r\nx-ratelimit-remaining: 9\r\nX-RateLimit-Reset: 9\r\n",
      {.account = {
           .remaining = &remaining, .allocation = &allocation, .rate = &starter, .now = noon}});
  EXPECT_EQ(value(out, "X-RateLimit-Limit"), "60");
  EXPECT_EQ(value(out, "X-RateLimit-Remaining"), "7");
  EXPECT_EQ(value(out, "X-RateLimit-Reset"), "1767268893");
  EXPECT_EQ(value(out, "RateLimit"), "\"credits\";r=7, \"requests\";r=7;t=93");
  EXPECT_EQ(value(out, "RateLimit-Policy"),
            "\"credits\";q=20000;w=2592000, \"requests\";q=100;w=100");
  EXPECT_TRUE(values(out, "x-ratelimit-remaining").empty());
}

TEST(response_head, passes_the_upstreams_rate_on_where_an_account_has_none) {
  const auto out = sent_to_client("X-RateLimit-Limit: 9\r\n", {});
  EXPECT_EQ(value(out, "X-RateLimit-Limit"), "9");
}

TEST(account_fields, of_a_rate_alone) {
  const quota::rate_status full{7, 3, 3, noon - std::chrono::hours{1}};
  std::string out = "\r\n";
  write_account_fields(out, {.rate = &full, .now = noon});
  EXPECT_EQ(value(out, "RateLimit"), "\"requests\";r=3;t=0");
  EXPECT_EQ(value(out, "RateLimit-Policy"), "\"requests\";q=3;w=26");
}

// In the structured field, r is not negative; the decimal beside it may be.
TEST(response_head, tells_a_negative_balance) {
  const auto remaining = quota::credits::from_micro(-2'500'000);
  const auto out = sent_to_client("", {.account = {.remaining = &remaining}});
  EXPECT_EQ(value(out, "X-Credits-Remaining"), "-2.5");
  EXPECT_EQ(value(out, "RateLimit"), "\"credits\";r=0");
}

TEST(response_head, keeps_the_upstreams_request_id_under_another_name) {
  const auto out = sent_to_client("x-request-id: req_42\r\n", {});
  EXPECT_EQ(value(out, "X-Request-Id"), "request-1");
  EXPECT_EQ(value(out, "X-Upstream-Request-Id"), "req_42");
}

TEST(response_head, of_an_upgrade) {
  const auto out =
      sent_to_client("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n",
                     {.websocket = true, .close = true}, "HTTP/1.1 101 Switching Protocols");
  EXPECT_EQ(value(out, "Connection"), "Upgrade");
  EXPECT_EQ(value(out, "Upgrade"), "websocket");
  EXPECT_EQ(value(out, "Sec-WebSocket-Accept"), "x");
}

}  // namespace
}  // namespace tollgate::proxy
