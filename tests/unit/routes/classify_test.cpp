#include "routes/classify.hpp"

#include <gtest/gtest.h>

#include "tests/unit/routes/support.hpp"

namespace tollgate::routes {
namespace {

using headers = std::vector<std::pair<std::string, std::string>>;

const headers as_json{{"host", "h"}, {"content-type", "application/json"}};

// The typical routes of a platform: models by name, a broad catch-all at the end.
route_table platform() {
  return table_of({
      on("gpt-4", "gpt-4").post("/v1/chat/completions").json("/model", {"gpt-4*", "o1*"}),
      on("gpt-3.5", "gpt-3.5").post("/v1/chat/completions").json("/model", {"gpt-3.5*"}),
      on("claude", "claude").post("/v1/messages").json("/model", {"claude-*"}),
      on("speech", "tts").post("/v1/audio/speech"),
      on("search", "query").post("/v1/knowledge-bases/*/query").counting("/queries"),
      on("agents", "api").path("/v1/agents/{agent}/**").critically(),
      on("talk", "api").path("/v1/talk/{agent}/{conversation}"),
      on("api", "api").path("/v1/**"),
  });
}

struct call_case {
  std::string method, target;
  headers fields;
  std::optional<std::string> body;
  std::string out;
};

void expect_outcome(const route_table& table, const call_case& c) {
  const head request{c.method, c.target, c.fields};
  EXPECT_EQ(outcome_of(table, request.view(), c.body ? &*c.body : nullptr), c.out)
      << c.method << " " << c.target << " " << c.body.value_or("");
}

class call : public testing::TestWithParam<call_case> {};

TEST_P(call, takes_its_route) {
  expect_outcome(platform(), GetParam());
}

constexpr auto chat = "/v1/chat/completions";

INSTANTIATE_TEST_SUITE_P(
    ordinary, call,
    testing::Values(
        call_case{"POST", chat, as_json, {}, "body?"},
        call_case{"POST", chat, as_json, R"({"model":"gpt-4"})", "gpt-4"},
        call_case{"POST", chat, as_json, R"({"model":"gpt-4o-mini","messages":[]})", "gpt-4"},
        call_case{"POST", chat, as_json, R"({"messages":[],"model":"o1"})", "gpt-4"},
        call_case{"POST", chat, as_json, R"({"model":"gpt-3.5-turbo"})", "gpt-3.5"},
        call_case{"POST", "/v1/messages", as_json, R"({"model":"claude-3"})", "claude"},
        call_case{"POST", "/v1/knowledge-bases/7/query", as_json, R"({"queries":["a","b"]})",
                  "search"},
        call_case{"GET", "/v1/agents/a1", {}, {}, "agents"},
        call_case{"DELETE", "/v1/agents/a1/files/9", {}, {}, "agents"},
        call_case{"GET", "/v1/models", {}, {}, "api"}, call_case{"GET", "/v1", {}, {}, "api"},
        call_case{"GET", chat, {}, {}, "api"}, call_case{"GET", "/v2", {}, {}, "no_route"},
        call_case{"GET", "/", {}, {}, "no_route"}, call_case{"OPTIONS", "*", {}, {}, "no_route"},
        call_case{"OPTIONS", chat, {}, {}, "api"}));

// A caller with a valid key tries to have its chat request classified as something cheaper.
INSTANTIATE_TEST_SUITE_P(
    written_to_deceive, call,
    testing::Values(
        // the path
        call_case{"POST", "/v1/chat/%63ompletions", as_json, R"({"model":"gpt-4"})", "gpt-4"},
        call_case{"POST", "//v1//chat/completions", as_json, R"({"model":"gpt-4"})", "gpt-4"},
        call_case{"POST", "/v1/agents/../chat/completions", as_json, R"({"model":"gpt-4"})",
                  "gpt-4"},
        call_case{"POST", "/v1/agents/%2e%2e/chat/completions", as_json, R"({"model":"gpt-4"})",
                  "gpt-4"},
        call_case{"POST", "/v1/Chat/Completions", as_json, R"({"model":"gpt-4"})", "gpt-4"},
        call_case{"POST", "/v1/chat/completions/", as_json, R"({"model":"gpt-4"})", "gpt-4"},
        call_case{"POST", "/v1/chat/completion%C5%BF", as_json, R"({"model":"gpt-4"})", "gpt-4"},
        call_case{"POST", "/v1/chat/completions?x=/v1/models", as_json, R"({"model":"gpt-4"})",
                  "gpt-4"},
        call_case{"POST", "/v1/chat%2Fcompletions", as_json, R"({"model":"gpt-4"})",
                  "invalid_request"},
        call_case{"POST", "/v1/agents/a/..;/../chat/completions", as_json, R"({"model":"gpt-4"})",
                  "invalid_request"},
        call_case{"POST", "/v1/chat;x/completions", as_json, R"({"model":"gpt-4"})",
                  "invalid_request"},
        call_case{"POST", "/v1/chat\\completions", as_json, R"({"model":"gpt-4"})",
                  "invalid_request"},
        call_case{"POST", "/v1/chat/completions%00", as_json, R"({"model":"gpt-4"})",
                  "invalid_request"},
        call_case{"POST", "/v1/chat/completions#/", as_json, R"({"model":"gpt-4"})",
                  "invalid_request"},
        call_case{"post", chat, as_json, R"({"model":"gpt-4"})", "invalid_request"},
        call_case{"POST", "http://h/v1/chat/completions", as_json, R"({"model":"gpt-4"})", "gpt-4"},
        call_case{"PUT", "/v1/models", {{"X-HTTP-Method-Override", "POST"}}, {}, "invalid_request"},
        call_case{"PUT", "/v1/models", {{"x_http_method", "POST"}}, {}, "invalid_request"},
        call_case{"PUT", "/v1/models", {{"x-method-override", "POST"}}, {}, "invalid_request"},
        call_case{"GET", "/v1/models", {{"X-Original-URL", chat}}, {}, "invalid_request"},
        call_case{"GET", "/v1/models", {{"X_Rewrite_Url", chat}}, {}, "invalid_request"},
        call_case{"GET", "/v1/models", {{"X-Original-Host", "h"}}, {}, "api"},
        // the model: given twice, in other letters, with blanks or control characters, missing
        call_case{"POST", chat, as_json, R"({"model":"gpt-3.5","model":"gpt-4"})",
                  "invalid_request"},
        call_case{"POST", chat, as_json, R"({"model":"gpt-3.5","Model":"gpt-4"})",
                  "invalid_request"},
        call_case{"POST", chat, as_json, R"({"MODEL":"gpt-4"})", "invalid_request"},
        call_case{"POST", chat, as_json, R"({"model":"gpt-3.5","mode\u006c":"gpt-4"})",
                  "invalid_request"},
        call_case{"POST", chat, as_json, R"({"model":"gpt-3.5\u0000"})", "invalid_request"},
        call_case{"POST", chat, as_json, R"({"model":" gpt-4"})", "invalid_request"},
        call_case{"POST", chat, as_json, R"({"model":"gpt-4 "})", "invalid_request"},
        call_case{"POST", chat, as_json, R"({"model":"\ngpt-4"})", "invalid_request"},
        call_case{"POST", chat, as_json, R"({"model":"GPT-4"})", "gpt-4"},
        call_case{"POST", chat, as_json, R"({"model":"gpt-5"})", "no_route"},
        call_case{"POST", chat, as_json, R"({})", "no_route"},
        call_case{"POST", chat, as_json, R"({"model":null})", "no_route"},
        call_case{"POST", chat, as_json, R"({"model":["gpt-4"]})", "no_route"},
        call_case{"POST", chat, as_json, R"({"model":4})", "no_route"},
        call_case{"POST", chat, as_json, R"([{"model":"gpt-4"}])", "no_route"},
        // the body: missing, broken, compressed, of another type or charset
        call_case{"POST", chat, as_json, "", "invalid_request"},
        call_case{"POST", chat, as_json, "{", "invalid_request"},
        call_case{"POST", chat, as_json, "\xEF\xBB\xBF{\"model\":\"gpt-4\"}", "invalid_request"},
        call_case{"POST", chat, as_json, R"({"model":"gpt-4"} {"model":"gpt-3.5"})",
                  "invalid_request"},
        call_case{"POST", chat, as_json, "{\"model\":\"gpt-4\xFF\"}", "invalid_request"},
        call_case{"POST", chat, {}, "{}", "invalid_request"},
        call_case{"POST", chat, {{"content-type", "text/plain"}}, "{}", "invalid_request"},
        call_case{"POST",
                  chat,
                  {{"content-type", "multipart/form-data; boundary=x"}},
                  "{}",
                  "invalid_request"},
        call_case{"POST",
                  chat,
                  {{"content-type", "application/json; charset=utf-16"}},
                  "{}",
                  "invalid_request"},
        call_case{"POST",
                  chat,
                  {{"content-type", "application/json; charset=utf-8; charset=utf-7"}},
                  "{}",
                  "invalid_request"},
        call_case{"POST",
                  chat,
                  {{"content-type", "application/json, text/plain"}},
                  "{}",
                  "invalid_request"},
        call_case{"POST",
                  chat,
                  {{"content-type", "application/json"}, {"content-type", "application/json"}},
                  "{}",
                  "invalid_request"},
        call_case{"POST",
                  chat,
                  {{"content-type", "application/json"}, {"content-encoding", "gzip"}},
                  "{}",
                  "invalid_request"},
        call_case{"POST",
                  chat,
                  {{"content-type", "application/json"}, {"content-encoding", "identity, br"}},
                  "{}",
                  "invalid_request"},
        call_case{"POST",
                  chat,
                  {{"content-type", "application/json"},
                   {"content-encoding", "identity"},
                   {"content-encoding", "gzip"}},
                  "{}",
                  "invalid_request"},
        call_case{"POST",
                  chat,
                  {{"content-type", "application/json"}, {"content-encoding", "compress"}},
                  "{}",
                  "unsupported_content_encoding"},
        call_case{"POST",
                  chat,
                  {{"content-type", "application/json"}, {"Content_Encoding", "gzip"}},
                  "{}",
                  "unsupported_content_encoding"},
        // audio: what it costs is metered later
        call_case{"POST", "/v1/audio/speech", as_json, R"({"input":"x"})", "speech"},
        call_case{"POST", "/v1/Audio/speech/", as_json, R"({"input":"x"})", "invalid_request"}));

INSTANTIATE_TEST_SUITE_P(
    json_types, call,
    testing::Values(
        call_case{
            "POST", chat, {{"Content-Type", "APPLICATION/JSON"}}, R"({"model":"gpt-4"})", "gpt-4"},
        call_case{"POST",
                  chat,
                  {{"Content-Type", "application/json;charset=UTF-8"}},
                  R"({"model":"gpt-4"})",
                  "gpt-4"},
        call_case{"POST",
                  chat,
                  {{"Content-Type", "application/json; charset=\"utf-8\""}},
                  R"({"model":"gpt-4"})",
                  "gpt-4"},
        call_case{"POST",
                  chat,
                  {{"Content-Type", "application/vnd.x+json ; v=1"}},
                  R"({"model":"gpt-4"})",
                  "gpt-4"},
        call_case{"POST",
                  chat,
                  {{"Content-Type", "application/json"}, {"Content-Encoding", "identity"}},
                  R"({"model":"gpt-4"})",
                  "gpt-4"}));

struct condition_case {
  std::string method, target;
  headers fields;
  std::string out;
};

route_table conditions() {
  return table_of({
      on("host", "api").path("/**").hosts({"*.beta.example", "beta.example"}),
      on("header", "api").path("/**").header("X-Tier", {"gold*", "silver"}),
      on("query", "api").path("/**").query("mode", {"fast", "a b"}),
      on("two", "api").path("/**").query("x", {"1"}).query("y", {"*"}),
      on("type", "api").path("/upload").type({"audio/*", "image/png"}),
      on("read", "api").get("/read"),
      on("write", "api").methods({"POST", "PUT"}).path("/write"),
  });
}

class condition : public testing::TestWithParam<condition_case> {};

TEST_P(condition, decides) {
  const auto& c = GetParam();
  expect_outcome(conditions(), {c.method, c.target, c.fields, {}, c.out});
}

INSTANTIATE_TEST_SUITE_P(
    hosts_and_methods, condition,
    testing::Values(condition_case{"GET", "/a", {{"host", "BETA.example:8080"}}, "host"},
                    condition_case{"GET", "/a", {{"host", "x.beta.example."}}, "host"},
                    condition_case{"GET", "http://x.beta.example/a", {}, "host"},
                    condition_case{"GET", "/a", {{"host", "beta.example.evil"}}, "no_route"},
                    condition_case{"GET", "/a", {}, "no_route"},
                    condition_case{"GET", "/read", {}, "read"},
                    condition_case{"HEAD", "/read", {}, "read"},
                    condition_case{"POST", "/read", {}, "no_route"},
                    condition_case{"PUT", "/write", {}, "write"},
                    condition_case{"GET", "/write", {}, "no_route"}));

INSTANTIATE_TEST_SUITE_P(
    headers_and_query, condition,
    testing::Values(
        condition_case{"GET", "/a", {{"x-tier", "Golden"}}, "header"},
        condition_case{"GET", "/a", {{"X-TIER", "silver"}}, "header"},
        condition_case{"GET", "/a", {{"x-tier", "bronze"}}, "no_route"},
        condition_case{"GET", "/a", {{"x-tier", ""}}, "no_route"},
        condition_case{"GET", "/a", {{"x-tier", "gold"}, {"x-tier", "gold"}}, "invalid_request"},
        condition_case{"GET", "/a", {{"x-tier", "bronze"}, {"X-Tier", "gold"}}, "invalid_request"},
        condition_case{"GET", "/a", {{"x_tier", "gold"}}, "invalid_request"},
        condition_case{"GET", "/a", {{"x-tier", "gold"}, {"x_tier", "x"}}, "invalid_request"},
        condition_case{"GET", "/a?mode=fast", {}, "query"},
        condition_case{"GET", "/a?x&mode=%66ast&z=1", {}, "query"},
        condition_case{"GET", "/a?mode=a+b", {}, "query"},
        condition_case{"GET", "/a?mode=a%20b", {}, "query"},
        condition_case{"GET", "/a?mode=a%2Bb", {}, "no_route"},
        condition_case{"GET", "/a?mode=FAST", {}, "query"},
        condition_case{"GET", "/a?mode=slow", {}, "no_route"},
        condition_case{"GET", "/a?mode", {}, "no_route"},
        condition_case{"GET", "/a?mode=fast&mode=slow", {}, "invalid_request"},
        condition_case{"GET", "/a?mode=slow&MODE=fast", {}, "invalid_request"},
        condition_case{"GET", "/a?Mode=fast", {}, "invalid_request"},
        condition_case{"GET", "/a?mode%5B%5D=fast", {}, "invalid_request"},
        condition_case{"GET", "/a?mode[0]=fast", {}, "invalid_request"},
        condition_case{"GET", "/a?%6Dode=fast", {}, "query"},
        condition_case{"GET", "/a?mode=%zz", {}, "invalid_request"},
        condition_case{"GET", "/a?mode=fast%00", {}, "invalid_request"},
        condition_case{"GET", "/a?mode=fast+", {}, "invalid_request"},
        condition_case{"GET", "/a?x=2;mode=fast", {}, "invalid_request"},
        condition_case{"GET", "/a?x=1&y=", {}, "two"},
        condition_case{"GET", "/a?x=1", {}, "no_route"},
        condition_case{"GET", "/a?%zz=1&mode=fast", {}, "query"}));

INSTANTIATE_TEST_SUITE_P(
    content_types, condition,
    testing::Values(
        condition_case{"POST", "/upload", {{"content-type", "audio/wav"}}, "type"},
        condition_case{"POST", "/upload", {{"content-type", "Audio/WAV; rate=8000"}}, "type"},
        condition_case{"POST", "/upload", {{"content-type", "image/png"}}, "type"},
        condition_case{"POST", "/upload", {{"content-type", "image/gif"}}, "no_route"},
        condition_case{"POST", "/upload", {}, "no_route"},
        condition_case{"POST", "/upload", {{"content-type", "audio"}}, "invalid_request"},
        condition_case{
            "POST", "/upload", {{"content-type", "audio/wav, image/png"}}, "invalid_request"},
        condition_case{"POST",
                       "/upload",
                       {{"content-type", "audio/wav"}, {"content-type", "image/gif"}},
                       "invalid_request"}));

// "An endpoint that is priced by its body": no broader route takes a request that an earlier route
// would price.
TEST(claim, only_a_route_that_means_it_takes_what_another_missed) {
  const std::string unknown = R"({"model":"gpt-5","stream":true})";
  const auto first = on("gpt-4", "gpt-4").post(chat).json("/model", {"gpt-4*"});
  const auto taken_by = [&](on next, std::string body) {
    const auto table = table_of({first, next});
    const head request{"POST", chat, as_json};
    return outcome_of(table, request.view(), &body);
  };
  // broader, and without a condition on the model
  EXPECT_EQ(taken_by(on("x", "api").path("/**"), unknown), "no_route");
  EXPECT_EQ(taken_by(on("x", "api").path("/v1/**"), unknown), "no_route");
  EXPECT_EQ(taken_by(on("x", "api").path("/v1/chat/{any}"), unknown), "no_route");
  EXPECT_EQ(taken_by(on("x", "api").path("/v1/chat/comp*"), unknown), "no_route");
  EXPECT_EQ(taken_by(on("x", "api"), unknown), "no_route");
  EXPECT_EQ(taken_by(on("x", "api").path("/v1/**").json("/stream", {"true"}), unknown), "no_route");
  EXPECT_EQ(taken_by(on("x", "query").path("/v1/**").counting("/queries"), unknown), "no_route");
  // the same endpoint, or the same member
  EXPECT_EQ(taken_by(on("x", "api").path(chat), unknown), "x");
  EXPECT_EQ(taken_by(on("x", "api").path("/V1/chat/completions/"), unknown), "x");
  EXPECT_EQ(taken_by(on("x", "api").path("/v1/**").json("/model", {"*"}), unknown), "x");
  EXPECT_EQ(taken_by(on("x", "api").path("/v1/**").json("/model", {"gpt-*"}), unknown), "x");
  EXPECT_EQ(taken_by(on("x", "api").path("/v1/**").json("/model", {"claude*"}), unknown),
            "no_route");
  // a body without the member
  EXPECT_EQ(taken_by(on("x", "api").path("/v1/**").json("/model", {"*"}), "{}"), "no_route");
  EXPECT_EQ(taken_by(on("x", "api").path(chat), "{}"), "x");
}

TEST(claim, a_narrower_route_takes_what_a_broader_one_missed) {
  const auto table =
      table_of({on("models", "gpt-4").post("/v1/**").json("/model", {"gpt-4*"}),
                on("files", "api").path("/v1/files/**"), on("rest", "api").path("/**")});
  const std::string other = R"({"model":"other"})";
  const head files{"POST", "/v1/files/7", as_json}, chats{"POST", chat, as_json},
      get{"GET", "/v1/a"};
  EXPECT_EQ(outcome_of(table, files.view(), &other), "files");
  EXPECT_EQ(outcome_of(table, chats.view(), &other), "no_route");
  EXPECT_EQ(outcome_of(table, get.view()), "rest");
}

TEST(claim, a_content_type_prices_an_endpoint_too) {
  const auto upload = on("stt", "gpt-4").post("/v1/transcribe").type({"multipart/form-data"});
  const head request{"POST", "/v1/transcribe", {{"content-type", "application/octet-stream"}}};
  EXPECT_EQ(outcome_of(table_of({upload, on("x", "api").path("/v1/**")}), request.view()),
            "no_route");
  EXPECT_EQ(outcome_of(table_of({upload, on("x", "api").path("/v1/transcribe")}), request.view()),
            "x");
  EXPECT_EQ(
      outcome_of(table_of({upload, on("x", "api").path("/v1/**").type({"*/*"})}), request.view()),
      "x");
}

TEST(claim, headers_and_query_members_only_choose) {
  const auto table = table_of({on("fast", "gpt-4").path("/v1/x").header("x-tier", {"gold"}),
                               on("slow", "gpt-4").path("/v1/x").query("m", {"1"}),
                               on("rest", "api").path("/v1/**")});
  const head request{"GET", "/v1/x?m=2", {{"x-tier", "tin"}}};
  EXPECT_EQ(outcome_of(table, request.view()), "rest");
}

TEST(no_body, means_that_no_member_is_there) {
  const auto table = table_of({on("model", "gpt-4").path("/v1/x").json("/model", {"gpt-4*"}),
                               on("batch", "query").path("/v1/q").counting("/queries"),
                               on("same", "api").path("/v1/x")});
  for (const auto* method : {"GET", "HEAD", "DELETE", "OPTIONS"}) {
    const head request{method, "/v1/x", {}};
    EXPECT_EQ(outcome_of(table, request.view()), "same") << method;
  }
  const head empty{"GET", "/v1/x", {{"content-length", "0"}}},
      some{"GET", "/v1/x", {{"content-length", "9"}, {"content-type", "application/json"}}},
      chunked{
          "GET", "/v1/x", {{"transfer-encoding", "chunked"}, {"content-type", "application/json"}}},
      posted{"POST", "/v1/x", {{"content-length", "0"}, {"content-type", "application/json"}}};
  const std::string gpt = R"({"model":"gpt-4"})", nothing;
  EXPECT_EQ(outcome_of(table, empty.view()), "same");
  EXPECT_EQ(outcome_of(table, some.view()), "body?");
  EXPECT_EQ(outcome_of(table, some.view(), &gpt), "model");
  EXPECT_EQ(outcome_of(table, chunked.view()), "body?");
  EXPECT_EQ(outcome_of(table, posted.view()), "body?");
  EXPECT_EQ(outcome_of(table, posted.view(), &nothing), "invalid_request");
}

// A path that a lenient server reads as the cheap route, and a strict one as the expensive route.
TEST(exact_reading, refuses_what_could_be_dearer) {
  const auto taken = [](on cheap, on dear, std::string target) {
    const head request{"GET", std::move(target), {}};
    return outcome_of(table_of({cheap, dear}), request.view());
  };
  const auto cheap = on("cheap", "api").path("/v1/x/health");
  const auto dear = on("dear", "gpt-4").path("/v1/x/{id}");
  EXPECT_EQ(taken(cheap, dear, "/v1/x/health"), "cheap");
  EXPECT_EQ(taken(cheap, dear, "/v1/x/HEALTH"), "invalid_request");
  EXPECT_EQ(taken(cheap, dear, "/v1/x/health/"),
            "cheap");  // read exactly, the dear route has no slash
  EXPECT_EQ(taken(cheap, on("dear", "gpt-4").path("/v1/**"), "/v1/x/health/"), "invalid_request");
  EXPECT_EQ(taken(cheap, dear, "/v1/x/HEALT%48"), "invalid_request");
  EXPECT_EQ(taken(cheap, on("same", "api").path("/v1/x/{id}"), "/v1/x/HEALTH"), "cheap");
  EXPECT_EQ(taken(cheap, on("free", "free").path("/v1/x/{id}"), "/v1/x/HEALTH"), "cheap");
  EXPECT_EQ(taken(cheap, on("audio", "tts").path("/v1/x/{id}"), "/v1/x/HEALTH"), "invalid_request");
  EXPECT_EQ(taken(cheap, on("batch", "query").path("/v1/x/{id}"), "/v1/x/HEALTH"),
            "invalid_request");
  EXPECT_EQ(taken(cheap, dear, "/V1/x/HEALTH"), "cheap");  // read exactly, no route takes it
  EXPECT_EQ(taken(on("open", "api").path("/v1/x/health").critically(),
                  on("shut", "api").path("/v1/x/{id}"), "/v1/x/HEALTH"),
            "invalid_request");
  EXPECT_EQ(taken(on("watched", "api").path("/v1/x/health").shadowed(),
                  on("shut", "api").path("/v1/x/{id}"), "/v1/x/HEALTH"),
            "invalid_request");
  EXPECT_EQ(taken(cheap, on("posts", "gpt-4").post("/v1/x/{id}"), "/v1/x/HEALTH"), "cheap");
}

classified classify(const route_table& table, const head& request,
                    const std::string* body = nullptr) {
  const auto target = std::get<clean_target>(read_target(request.view()));
  return std::get<classified>(table.classify(request.view(), target, body));
}

TEST(estimate, counts_the_queries_of_a_batch) {
  const auto table = table_of({on("search", "query").post("/q").counting("/queries"),
                               on("one", "query").post("/one"), on("chat", "gpt-4").post("/chat")});
  const auto estimated = [&](std::string path, const std::string& body) {
    return classify(table, {"POST", std::move(path), as_json}, &body).estimated.amount;
  };
  EXPECT_EQ(estimated("/q", R"({"queries":["a","b","c"]})"), 3);
  EXPECT_EQ(estimated("/q", R"({"queries":[]})"), 1);
  EXPECT_EQ(estimated("/q", R"({"queries":null})"), 1);
  EXPECT_EQ(estimated("/q", R"({"query":"a"})"), 1);
  EXPECT_EQ(estimated("/one", R"({"queries":[1,2]})"), 1);
  EXPECT_EQ(estimated("/chat", "{}"), 1);
  for (const std::string body :
       {R"({"queries":[1],"queries":[1,2]})", R"({"queries":[1],"Queries":[1,2]})",
        R"({"Queries":[1,2]})", "", "[", R"({"queries":[1,]})", R"({"queries":{"a":1,"b":2}})",
        R"({"queries":{}})", R"({"queries":"ab"})", R"({"queries":3})", R"({"queries":true})"}) {
    const head request{"POST", "/q", as_json};
    EXPECT_EQ(outcome_of(table, request.view(), &body), "invalid_request") << body;
  }
}

route_table with_times(std::vector<std::string> times) {
  auto chat_rate = rate_of("gpt-4", 10'000'000);
  chat_rate.times = std::move(times);
  auto built = route_table::build({on("chat", "gpt-4").post("/chat")}, {chat_rate});
  return std::get<route_table>(std::move(built));
}

TEST(estimate, multiplies_by_what_a_body_asks_for) {
  const auto table = with_times({"/n", "/best_of"});
  const auto priced = [&](const std::string& body) {
    const auto found = classify(table, {"POST", "/chat", as_json}, &body);
    EXPECT_EQ(found.times, found.estimated.amount) << body;
    return quota::price(found.matched->price_at, found.estimated);
  };
  using quota::credits;
  EXPECT_EQ(priced("{}"), credits::from_whole(10));
  EXPECT_EQ(priced(R"({"n":null,"best_of":null})"), credits::from_whole(10));
  EXPECT_EQ(priced(R"({"n":1})"), credits::from_whole(10));
  EXPECT_EQ(priced(R"({"n":128})"), credits::from_whole(1'280));
  EXPECT_EQ(priced(R"({"n":3,"best_of":5})"), credits::from_whole(50));
  EXPECT_EQ(priced(R"({"n":5,"best_of":3})"), credits::from_whole(50));
  EXPECT_EQ(priced(R"({"best_of":20})"), credits::from_whole(200));
  EXPECT_EQ(priced(R"({"n":2.0})"), credits::from_whole(20));
  EXPECT_EQ(priced(R"({"n":1e3})"), credits::from_whole(10'000));
}

TEST(estimate, refuses_times_that_are_no_count) {
  const auto table = with_times({"/n", "/best_of"});
  const head request{"POST", "/chat", as_json};
  for (const std::string said :
       {"0", "-1", "-0.0", "2.5", "0.5", "1001", "1e9", "1e300", "18446744073709551617",
        "4294967297", "\"3\"", "\"\"", "true", "false", "[2]", "{}", "[]", "\"n\""}) {
    const auto body = "{\"n\":" + said + "}";
    EXPECT_EQ(outcome_of(table, request.view(), &body), "invalid_request") << body;
  }
  for (const std::string body : {R"({"n":1,"n":2})", R"({"N":2})", R"({"n\u0000":2})",
                                 R"({"n":1,"bestOf":9})", R"({"__proto__":{"n":9}})"})
    EXPECT_EQ(outcome_of(table, request.view(), &body), "invalid_request") << body;
  const auto target = std::get<clean_target>(read_target(request.view()));
  const std::string body = R"({"n":"3"})";
  EXPECT_EQ(
      std::get<problem>(table.classify(request.view(), target, &body)).message,
      "The price of this call depends on \"n\", which must be a whole number from 1 to 1000.");
}

TEST(estimate, a_service_tier_has_a_price_of_its_own) {
  const auto table =
      table_of({on("priority", "gpt-4").post(chat).json("/service_tier", {"priority"}),
                on("usual", "gpt-3.5").post(chat).json("/model", {"*"})});
  const head request{"POST", chat, as_json};
  const auto taken = [&](std::string body) { return outcome_of(table, request.view(), &body); };
  EXPECT_EQ(taken(R"({"model":"m","service_tier":"priority"})"), "priority");
  EXPECT_EQ(taken(R"({"model":"m","service_tier":"Priority"})"), "priority");
  EXPECT_EQ(taken(R"({"model":"m","service_tier":"auto"})"), "usual");
  EXPECT_EQ(taken(R"({"model":"m"})"), "usual");
  EXPECT_EQ(taken(R"({"model":"m","serviceTier":"priority"})"), "invalid_request");
  EXPECT_EQ(taken(R"({"model":"m","service_tier":"priority "})"), "invalid_request");
}

// The upstream is sent the type by which the body was read.
TEST(content_type, is_written_anew_where_the_body_was_read) {
  const auto table = platform();
  const std::string body = R"({"model":"gpt-4o"})";
  const auto sent = [&](std::string type) {
    return classify(table, {"POST", chat, {{"Content-Type", std::move(type)}}}, &body).content_type;
  };
  EXPECT_EQ(sent("application/json"), "application/json");
  EXPECT_EQ(sent("Application/Json; v=2; CharSet=\"UTF-8\""), "application/json; charset=utf-8");
  for (const std::string type :
       {"application/json; charset*=utf-8''utf-7", "application/json; charset*0=utf-7",
        "application/json; charset=utf-8; charset*=utf-8''utf-7",
        "application/json; charset=utf-7"}) {
    const head request{"POST", chat, {{"Content-Type", type}}};
    EXPECT_EQ(outcome_of(table, request.view(), &body), "invalid_request") << type;
  }
  EXPECT_EQ(classify(table, {"GET", "/v1/models", {{"Content-Type", "x"}}}).content_type, "");
}

TEST(attribution, comes_from_path_and_body) {
  const auto table = platform();
  const auto talk = classify(table, {"GET", "/v1/talk/a%20b/caf%C3%A9", {}});
  EXPECT_EQ(talk.agent, "a b");
  EXPECT_EQ(talk.conversation, "caf\xC3\xA9");
  EXPECT_EQ(talk.model, "");
  const std::string body = R"({"model":"gpt-4o"})";
  const auto chatted = classify(table, {"POST", chat, as_json}, &body);
  EXPECT_EQ(chatted.model, "gpt-4o");
  EXPECT_EQ(chatted.matched->settings.name, "gpt-4");
  EXPECT_EQ(chatted.matched->price_at.name, "gpt-4");
  EXPECT_EQ(chatted.agent, "");

  const auto fixed =
      table_of({on("f", "gpt-4").post("/f").named_model("the-model").json("/model", {"*"}),
                on("n", "query").post("/n").counting("/q")});
  EXPECT_EQ(classify(fixed, {"POST", "/f", as_json}, &body).model, "the-model");
  EXPECT_EQ(classify(fixed, {"POST", "/n", as_json}, &body).model, "gpt-4o");
  const std::string none = R"({"model":{"a":1}})";
  EXPECT_EQ(classify(fixed, {"POST", "/n", as_json}, &none).model, "");
}

TEST(attribution, is_refused_when_the_ledger_cannot_hold_it) {
  const auto outcome = [](std::string target) {
    const head request{"GET", std::move(target), {}};
    return outcome_of(platform(), request.view());
  };
  EXPECT_EQ(outcome("/v1/agents/" + std::string(256, 'a')), "agents");
  EXPECT_EQ(outcome("/v1/agents/" + std::string(257, 'a')), "invalid_request");
  EXPECT_EQ(outcome("/v1/talk/a/" + std::string(257, 'a')), "invalid_request");
  EXPECT_EQ(outcome("/v1/agents/%C2%9B"), "invalid_request");
  const auto any = table_of({on("any", "gpt-4").post("/m").json("/model", {"*"})});
  const head request{"POST", "/m", as_json};
  for (const auto& model : {std::string(257, 'm'), std::string{"a\\u0007"}}) {
    const auto body = R"({"model":")" + model + R"("})";
    EXPECT_EQ(outcome_of(any, request.view(), &body), "invalid_request");
  }
}

std::string explained(const route_table& table, const head& request,
                      const std::string* body = nullptr) {
  std::vector<mismatch> why;
  std::string out = outcome_of(table, request.view(), body, &why);
  for (const auto& [route, reason] : why) out += "\n" + route + ": " + reason;
  return out;
}

TEST(explain, says_why_the_others_did_not_match) {
  const std::string body = R"({"model":"gpt-5"})";
  EXPECT_EQ(
      explained(platform(), {"POST", chat, as_json}, &body),
      "no_route\n"
      "gpt-4: json /model is \"gpt-5\", not gpt-4*, o1*\n"
      "gpt-3.5: json /model is \"gpt-5\", not gpt-3.5*\n"
      "claude: path is /v1/chat/completions, not /v1/messages\n"
      "speech: path is /v1/chat/completions, not /v1/audio/speech\n"
      "search: path is /v1/chat/completions, not /v1/knowledge-bases/*/query\n"
      "agents: path is /v1/chat/completions, not /v1/agents/{agent}/**\n"
      "talk: path is /v1/chat/completions, not /v1/talk/{agent}/{conversation}\n"
      "api: its path is broader than that of route \"gpt-4\", which prices this endpoint by a "
      "body this call does not have");
  EXPECT_EQ(explained(conditions(), {"GET", "/write", {{"host", "h"}, {"x-tier", "tin"}}}),
            "no_route\n"
            "host: host is h, not *.beta.example, beta.example\n"
            "header: header X-Tier is \"tin\", not gold*, silver\n"
            "query: query member mode is missing\n"
            "two: query member x is missing\n"
            "type: path is /write, not /upload\n"
            "read: path is /write, not /read\n"
            "write: method is GET, not POST or PUT");
}

TEST(no_route, names_the_call_and_what_decided) {
  const auto table = platform();
  const auto message = [&](std::string method, std::string target, const std::string& body) {
    const head request{std::move(method), std::move(target), as_json};
    const auto clean = std::get<clean_target>(read_target(request.view()));
    return std::get<problem>(table.classify(request.view(), clean, &body)).message;
  };
  EXPECT_EQ(message("GET", "/v2/x", ""), "No route for GET /v2/x.");
  EXPECT_EQ(message("POST", chat, R"({"model":"gpt-5"})"),
            "No route for POST /v1/chat/completions: model \"gpt-5\" matches no route.");
  EXPECT_EQ(message("POST", chat, "{}"),
            "No route for POST /v1/chat/completions: model is missing.");
  EXPECT_EQ(message("POST", chat, R"({"model":[]})"),
            "No route for POST /v1/chat/completions: model matches no route.");
}

TEST(route_table, without_routes_takes_nothing) {
  const head request{"GET", "/", {}};
  EXPECT_EQ(outcome_of(route_table{}, request.view()), "no_route");
  EXPECT_EQ(outcome_of(table_of({}), request.view()), "no_route");
}

TEST(route_table, asks_for_a_body_only_where_a_route_before_needs_it) {
  const auto table = table_of({on("first", "api").path("/v1/x"),
                               on("json", "gpt-4").path("/v1/**").json("/model", {"gpt-4"}),
                               on("audio", "stt").post("/audio")});
  const head early{"POST", "/v1/x", as_json}, late{"POST", "/v1/y", as_json},
      upload{"POST", "/audio", {}};
  EXPECT_EQ(outcome_of(table, early.view()), "first");
  EXPECT_EQ(outcome_of(table, late.view()), "body?");
  EXPECT_EQ(outcome_of(table, upload.view()), "audio");
  const auto target = std::get<clean_target>(read_target(late.view()));
  const auto asked = std::get<needs_body>(table.classify(late.view(), target));
  EXPECT_EQ(asked.candidate->settings.name, "json");
}

}  // namespace
}  // namespace tollgate::routes
