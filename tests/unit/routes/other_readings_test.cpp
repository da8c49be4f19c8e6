// Requests that some upstream could take for a dearer call: an encoded slash, an upgrade to a
// WebSocket, a compressed body.
#include <gtest/gtest.h>

#include "tests/support/coded.hpp"
#include "tests/support/deflate.hpp"
#include "tests/unit/routes/support.hpp"

namespace tollgate::routes {
namespace {

const std::vector<std::pair<std::string, std::string>> as_json{
    {"host", "h"}, {"content-type", "application/json"}};

std::string taken(const route_table& table, std::string method, std::string target,
                  std::string body = "{}") {
  const head request{std::move(method), std::move(target), as_json};
  return outcome_of(table, request.view(), &body);
}

// --- encoded slashes
// ------------------------------------------------------------------------------

TEST(an_encoded_slash, passes_in_a_name_that_is_read) {
  const auto table = table_of({on("model", "api").get("/v1/models/{model}")});
  EXPECT_EQ(taken(table, "GET", "/v1/models/meta-llama%2FLlama-3.1-8B"), "model");
  EXPECT_EQ(taken(table, "HEAD", "/v1/models/meta-llama%2fLlama-3.1-8B"), "model");
  EXPECT_EQ(taken(table, "GET", "/v1/models/a%2Fb%2Fc"), "model");
  EXPECT_EQ(taken(table, "GET", "/v1/models%2Fa"), "invalid_request");
  for (const auto* target : {"/v1/models/..%2Fchat", "/v1/models/a%2F..%2F..%2Fchat",
                             "/v1/models/a%252Fb", "/v1/models/a%2F", "/v1/models/%2Fa"})
    EXPECT_EQ(taken(table, "GET", target), "invalid_request") << target;
}

TEST(an_encoded_slash, passes_where_both_readings_cost_the_same) {
  const auto table = table_of({on("invoke", "gpt-4").post("/model/{model}/invoke"),
                               on("invoke-profile", "gpt-4").post("/model/*/*/invoke"),
                               on("cheap", "api").post("/cheap/{x}"),
                               on("cheap-below", "api").post("/cheap/{x}/y")});
  EXPECT_EQ(taken(table, "POST", "/model/arn:aws:inference-profile%2Fus.claude/invoke"), "invoke");
  EXPECT_EQ(taken(table, "POST", "/cheap/a%2Fy"), "cheap");
  // Without a route for the other reading, something without a price could be called.
  EXPECT_EQ(taken(table, "POST", "/cheap/a%2Fz"), "invalid_request");
  EXPECT_EQ(taken(table, "POST", "/model/a%2Fb%2Fc/invoke"), "invalid_request");
}

TEST(an_encoded_slash, does_not_hide_a_dearer_call) {
  const auto table =
      table_of({on("agent", "api").path("/v1/agents/{agent}"),
                on("run", "gpt-4").path("/v1/agents/{agent}/run"),
                on("vip", "api").path("/vip/{x}").critically(),
                on("usual", "api").path("/vip/{x}/y"), on("rest", "api").path("/v1/**")});
  for (const auto* method : {"GET", "POST"}) {
    EXPECT_EQ(taken(table, method, "/v1/agents/a%2Frun"), "invalid_request");
    EXPECT_EQ(taken(table, method, "/v1/agents/a%2FRUN"), "invalid_request");
    EXPECT_EQ(taken(table, method, "/v1/agents/a%2Fr%75n"), "invalid_request");
    EXPECT_EQ(taken(table, method, "/vip/a%2Fy"), "invalid_request");
    EXPECT_EQ(taken(table, method, "/v1/agents/a%2Fwalk"), "agent");  // `rest` costs no more
  }
}

TEST(an_encoded_slash, is_refused_outside_a_name) {
  const auto table =
      table_of({on("dear", "gpt-4").path("/v1/chat/completions"),
                on("files", "api").path("/v1/files/*.txt"), on("last", "api").path("/v1/a/**/{x}"),
                on("twice", "api").path("/b/**/c/**"), on("rest", "api").path("/v1/**")});
  for (const auto* target : {"/v1/chat%2Fcompletions", "/v1%2Fchat%2Fcompletions", "/v1/x%2Fy",
                             "/v1/files/a%2Fb.txt", "/v1/a/b%2Fc/d", "/b/x%2Fy/c", "/nowhere%2Fa"})
    EXPECT_EQ(taken(table, "GET", target), "invalid_request") << target;
  EXPECT_EQ(taken(table, "GET", "/v1/a/b/c%2Fd"), "last");
}

TEST(an_encoded_slash, lets_the_body_decide_for_both_readings) {
  const auto table =
      table_of({on("name", "gpt-3.5").post("/run/{name}"),
                on("dear", "gpt-4").post("/run/{name}/now").json("/model", {"gpt-4"}),
                on("usual", "gpt-3.5").post("/run/{name}/now").json("/model", {"gpt-3.5"})});
  EXPECT_EQ(taken(table, "POST", "/run/a%2Fnow", R"({"model":"gpt-3.5"})"), "name");
  EXPECT_EQ(taken(table, "POST", "/run/a%2Fnow", R"({"model":"gpt-4"})"), "invalid_request");
  EXPECT_EQ(taken(table, "POST", "/run/a%2Fnow", R"({"model":"gpt-5"})"), "invalid_request");
  EXPECT_EQ(taken(table, "POST", "/run/a%2Fnow", "{"), "invalid_request");
  EXPECT_EQ(taken(table, "POST", "/run/a"), "name");
}

// --- upgrades
// -------------------------------------------------------------------------------------

std::string upgraded(const route_table& table, std::string target) {
  const head request{"GET", std::move(target), {{"host", "h"}}};
  auto view = request.view();
  view.websocket = true;
  return outcome_of(table, view);
}

TEST(an_upgrade, of_an_endpoint_with_a_price_for_http_is_refused_as_such) {
  const auto table = table_of(
      {on("gpt-4", "gpt-4").post("/v1/responses").json("/model", {"gpt-4*"}),
       on("form", "gpt-4").path("/v1/form").type({"text/plain"}), on("page", "api").get("/v1/page"),
       on("other", "api").hosts({"other"}).post("/v1/other")});
  EXPECT_EQ(upgraded(table, "/v1/responses"), "upgrade_required");
  EXPECT_EQ(upgraded(table, "/V1/responses/"), "upgrade_required");
  EXPECT_EQ(upgraded(table, "/v1/form"), "upgrade_required");
  EXPECT_EQ(upgraded(table, "/v1/page"), "page");
  EXPECT_EQ(upgraded(table, "/v1/nothing"), "no_route");
  EXPECT_EQ(upgraded(table, "/v1/other"), "no_route");
  const head plain{"GET", "/v1/responses", {{"host", "h"}}};
  EXPECT_EQ(outcome_of(table, plain.view()), "no_route");
}

// One WebSocket carries many turns, whose model no head says.
TEST(an_upgrade, does_not_take_a_cheaper_route_of_the_endpoint) {
  const auto dear = on("dear", "gpt-4").post("/v1/responses").json("/model", {"gpt-4*"});
  const auto at = [&](std::vector<route_settings> routes) {
    return upgraded(table_of(std::move(routes)), "/v1/responses");
  };
  EXPECT_EQ(at({dear, on("rest", "api").path("/v1/**")}), "upgrade_required");
  EXPECT_EQ(at({dear, on("reads", "api").get("/v1/**")}), "upgrade_required");
  EXPECT_EQ(at({on("reads", "api").get("/v1/**"), dear}), "upgrade_required");
  EXPECT_EQ(at({dear, on("any", "api").path("/v1/responses")}), "upgrade_required");
  EXPECT_EQ(at({dear, on("list", "api").get("/v1/responses")}), "upgrade_required");
  EXPECT_EQ(at({on("list", "api").get("/v1/responses"), dear}), "upgrade_required");
  // Not cheaper.
  EXPECT_EQ(at({dear, on("socket", "gpt-4").get("/v1/responses")}), "socket");
  EXPECT_EQ(at({dear, on("rest", "gpt-4").path("/v1/**")}), "rest");
  EXPECT_EQ(at({on("rest", "api").path("/v1/**")}), "rest");
}

// --- compressed bodies
// ----------------------------------------------------------------------------

route_table models() {
  return table_of({on("gpt-4", "gpt-4").post("/chat").json("/model", {"gpt-4*"}),
                   on("gpt-3.5", "gpt-3.5").post("/chat").json("/model", {"gpt-3.5*"}),
                   on("search", "query").post("/search").counting("/queries")});
}

std::string coded(std::string coding, std::string body, std::string target = "/chat") {
  const auto table = models();
  auto fields = as_json;
  fields.emplace_back("Content-Encoding", std::move(coding));
  const head request{"POST", std::move(target), fields};
  return outcome_of(table, request.view(), &body);
}

TEST(a_compressed_body, is_priced_by_what_it_contains) {
  using tests::brotli_of, tests::deflated, tests::framing, tests::zstd_of;
  for (const auto* model : {"gpt-4", "gpt-3.5"}) {
    const auto text = std::string{R"({"model":")"} + model + R"(-x"})";
    EXPECT_EQ(coded("gzip", deflated(text)), model);
    EXPECT_EQ(coded("deflate", deflated(text, framing::zlib)), model);
    EXPECT_EQ(coded("deflate", deflated(text, framing::none)), model);
    EXPECT_EQ(coded("zstd", zstd_of(text)), model);
    EXPECT_EQ(coded("br", brotli_of(text)), model);
    EXPECT_EQ(coded("gzip, zstd", zstd_of(deflated(text))), model);
  }
  EXPECT_EQ(coded("gzip", deflated(R"({"queries":[1,2]})"), "/search"), "search");
  EXPECT_EQ(coded("gzip", deflated(R"({"model":"gpt-4","model":"gpt-3.5"})")), "invalid_request");
  EXPECT_EQ(coded("gzip", deflated("")), "invalid_request");
  EXPECT_EQ(coded("gzip", deflated(R"({"model":)")), "invalid_request");
}

TEST(a_compressed_body, is_refused_where_it_cannot_be_read_with_certainty) {
  using tests::deflated, tests::zstd_of;
  const std::string cheap = R"({"model":"gpt-3.5"})", dear = R"({"model":"gpt-4"})";
  EXPECT_EQ(coded("gzip", cheap), "invalid_request");
  EXPECT_EQ(coded("br", dear), "invalid_request");
  EXPECT_EQ(coded("gzip", deflated(cheap) + deflated(dear)), "invalid_request");
  EXPECT_EQ(coded("zstd", zstd_of(cheap) + zstd_of(dear)), "invalid_request");
  EXPECT_EQ(coded("gzip, zstd", deflated(zstd_of(cheap))), "invalid_request");
  EXPECT_EQ(coded("compress", cheap), "unsupported_content_encoding");
  EXPECT_EQ(coded("gzip", deflated(std::string(9'000'000, ' ') + cheap)), "body_too_large");
  // What is stored in gzip's own fields is not read.
  EXPECT_EQ(coded("gzip", deflated(cheap, tests::framing::gzip, 6, dear)), "gpt-3.5");
}

}  // namespace
}  // namespace tollgate::routes
