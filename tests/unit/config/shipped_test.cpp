// The configuration that ships: config/tollgate.yaml.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/unit/config/support.hpp"

namespace tollgate::config {
namespace {

using quota::meter_kind;
using quota::unit;

std::string shipped_text() {
  std::ifstream file{TOLLGATE_SOURCE_DIR "/config/tollgate.yaml"};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

configuration shipped(const test::variables& env = {}) {
  auto loaded = load_text(shipped_text(), "tollgate.yaml", test::table(env));
  if (auto* errors = std::get_if<std::vector<config_error>>(&loaded)) {
    for (const auto& error : *errors) ADD_FAILURE() << to_string(error);
    return {};
  }
  return std::get<configuration>(std::move(loaded));
}

TEST(shipped, prices_are_the_rate_card_of_the_platform) {
  struct price {
    const char* name;
    std::int64_t micro;
    unit per;
    meter_kind meter;
  };
  const std::vector<price> card{{"gpt-4", 10'000'000, unit::request, meter_kind::none},
                                {"claude", 8'000'000, unit::request, meter_kind::none},
                                {"gpt-3.5", 2'000'000, unit::request, meter_kind::none},
                                {"tts", 5'000'000, unit::minute, meter_kind::response_audio},
                                {"stt", 3'000'000, unit::minute, meter_kind::request_audio},
                                {"query", 1'000'000, unit::query, meter_kind::none},
                                {"api", 100'000, unit::request, meter_kind::none}};
  const auto rates = shipped().values.rates;
  ASSERT_EQ(rates.size(), card.size());
  for (std::size_t i = 0; i < card.size(); ++i) {
    EXPECT_EQ(rates[i].name, card[i].name);
    EXPECT_EQ(rates[i].price.micro(), card[i].micro) << card[i].name;
    EXPECT_EQ(rates[i].per, card[i].per) << card[i].name;
    EXPECT_EQ(rates[i].meter, card[i].meter) << card[i].name;
    EXPECT_EQ(rates[i].increment_us, 1'000'000) << card[i].name;
    const bool chats = rates[i].name.starts_with("gpt-");
    EXPECT_EQ(rates[i].times, chats ? std::vector<std::string>{"/n"} : std::vector<std::string>{});
  }
}

TEST(shipped, plans_are_those_of_the_platform) {
  const auto plans = shipped().values.plans;
  ASSERT_EQ(plans.size(), 3u);
  EXPECT_EQ(plans[0].name, "starter");
  EXPECT_EQ(plans[0].terms.allocation, quota::credits::from_whole(20'000));
  EXPECT_EQ(plans[0].terms.usd_micro_per_credit, 20'000);
  EXPECT_EQ(plans[0].terms.top_up_minimum_cents, 1'000);
  EXPECT_EQ(plans[0].terms.rollover_percent, 0);
  EXPECT_EQ(plans[0].terms.requests_per_minute, 60);
  EXPECT_EQ(plans[0].terms.burst, 100);
  EXPECT_EQ(plans[1].name, "pro");
  EXPECT_EQ(plans[1].terms.allocation, quota::credits::from_whole(200'000));
  EXPECT_EQ(plans[1].terms.usd_micro_per_credit, 10'000);
  EXPECT_EQ(plans[1].terms.top_up_minimum_cents, 2'500);
  EXPECT_EQ(plans[1].terms.rollover_percent, 100);
  EXPECT_EQ(plans[1].terms.rollover_cycles, 1);
  EXPECT_EQ(plans[1].terms.requests_per_minute, 600);
  EXPECT_EQ(plans[1].terms.burst, 1'000);
  EXPECT_EQ(plans[2].name, "enterprise");
  EXPECT_TRUE(plans[2].custom);
}

TEST(shipped, everything_that_differs_between_places_comes_from_the_environment) {
  const settings plain = shipped().values;
  EXPECT_EQ(plain.listen.port, 8080);
  EXPECT_EQ(plain.admin.listen.host, "127.0.0.1");
  EXPECT_EQ(plain.admin.token, "");
  EXPECT_EQ(plain.store.url, "embedded:var/tollgate");
  EXPECT_EQ(plain.upstreams.at(0).host, "api.openai.com");
  EXPECT_TRUE(plain.upstreams.at(0).tls);
  EXPECT_EQ(plain.upstreams.at(0).headers.at(0).second, "");  // no key: no header
  EXPECT_EQ(plain.upstreams.at(1).host, "api.anthropic.com");

  const settings set = shipped({{"TOLLGATE_LISTEN", "0.0.0.0:80"},
                                {"TOLLGATE_ADMIN_LISTEN", "[::1]:81"},
                                {"TOLLGATE_ADMIN_TOKEN", "t"},
                                {"TOLLGATE_STORE", "redis://r:6379"},
                                {"TOLLGATE_OPENAI_URL", "http://127.0.0.1:9"},
                                {"TOLLGATE_ANTHROPIC_URL", "http://127.0.0.1:10"},
                                {"TOLLGATE_PLATFORM_URL", "http://127.0.0.1:11/p"},
                                {"TOLLGATE_PLATFORM_KEY", "pk"},
                                {"OPENAI_API_KEY", "ok"},
                                {"ANTHROPIC_API_KEY", "ak"}})
                           .values;
  EXPECT_EQ(set.listen.host, "0.0.0.0");
  EXPECT_EQ(set.admin.listen.host, "::1");
  EXPECT_EQ(set.admin.token, "t");
  EXPECT_EQ(set.store.url, "redis://r:6379");
  EXPECT_EQ(set.upstreams.at(0).port, 9);
  EXPECT_EQ(set.upstreams.at(0).headers.at(0).second, "Bearer ok");
  EXPECT_EQ(set.upstreams.at(1).headers.at(0).second, "ak");
  EXPECT_EQ(set.upstreams.at(2).base_path, "/p");
  EXPECT_EQ(set.upstreams.at(2).headers.at(0).second, "Bearer pk");
  for (const auto& upstream : set.upstreams) EXPECT_FALSE(upstream.forward_key);
}

// The example in the file works once its comment marks and one of the two alternatives are removed.
TEST(shipped, payments_are_shown_as_they_would_be_written) {
  EXPECT_EQ(shipped().values.payments.kind, payment_kind::none);
  for (const std::string way : {"webhook", "stripe"}) {
    std::istringstream lines{shipped_text()};
    std::string text, line;
    bool inside = false;  // the lines of this alternative
    while (std::getline(lines, line)) {
      inside = line.starts_with("#   " + way + ":") || (inside && line.starts_with("#     "));
      const bool wanted = line == "# payments:" || inside || line.starts_with("#   timeout: 10s");
      text += (wanted ? line.substr(2) : line) + "\n";
    }
    const settings values = test::load_or_die(text, {{"TOLLGATE_PAYMENT_SECRET", "s"},
                                                     {"STRIPE_SECRET_KEY", "sk_1"},
                                                     {"STRIPE_WEBHOOK_SECRET", "whsec_1"}});
    EXPECT_EQ(values.payments.kind, way == "stripe" ? payment_kind::stripe : payment_kind::webhook);
    EXPECT_EQ(values.payments.timeout, payment_settings{}.timeout);
  }
}

// The sections at the end of the file are commented out, and show the defaults.
TEST(shipped, defaults_that_are_commented_out_are_the_defaults) {
  std::istringstream lines{shipped_text()};
  std::string text, line;
  bool in_block = false;
  int uncommented = 0;
  while (std::getline(lines, line)) {
    const bool begins = line.starts_with("# timeouts:") || line.starts_with("# limits:") ||
                        line.starts_with("# holds:") || line.starts_with("# log:") ||
                        line.starts_with("# threads:") || line.starts_with("# billing:") ||
                        line.starts_with("# audio:") || line.starts_with("# metering:") ||
                        line.starts_with("# critical:");
    in_block = begins || (in_block && line.starts_with("#   "));
    uncommented += in_block ? 1 : 0;
    text += (in_block ? line.substr(2) : line) + "\n";
  }
  EXPECT_EQ(uncommented, 39);
  settings values = test::load_or_die(text);
  const settings defaults;
  values.limits.buffered_bytes = defaults.limits.buffered_bytes;  // depends on the machine
  EXPECT_EQ(values.timeouts, defaults.timeouts);
  EXPECT_EQ(values.limits, defaults.limits);
  EXPECT_EQ(values.spool, defaults.spool);
  EXPECT_EQ(values.holds, defaults.holds);
  EXPECT_EQ(values.log, defaults.log);
  EXPECT_EQ(values.threads, defaults.threads);
  EXPECT_EQ(values.metering, defaults.metering);
  EXPECT_EQ(values.billing, defaults.billing);
  EXPECT_EQ(values.critical.terms, defaults.critical.terms);
}

// The classification of a request: "ROUTE CREDITS", or the code of its refusal.
std::string taken_for(const configuration& config, const std::string& method,
                      const std::string& target, const std::string& body = "",
                      const std::string& header = "") {
  std::vector<routes::header_view> headers{{"host", "tollgate"}};
  const std::string length = std::to_string(body.size());
  if (!body.empty()) {
    headers.push_back({"content-type", "application/json"});
    headers.push_back({"content-length", length});
  }
  if (!header.empty()) headers.push_back({header, "x"});
  const routes::request_view request{method, target, headers};
  const auto clean = routes::read_target(request);
  if (const auto* refused = std::get_if<routes::problem>(&clean)) {
    return std::string{to_string(refused->code)};
  }
  const auto& path = std::get<routes::clean_target>(clean);
  auto answer = config.routes.classify(request, path);
  if (std::holds_alternative<routes::needs_body>(answer)) {
    answer = config.routes.classify(request, path, &body);
  }
  if (const auto* refused = std::get_if<routes::problem>(&answer)) {
    return std::string{to_string(refused->code)};
  }
  const auto& found = std::get<routes::classified>(answer);
  return found.matched->settings.name + " " +
         to_string(price(found.matched->price_at, found.estimated));
}

TEST(shipped, calls_cost_what_the_card_says) {
  const configuration config = shipped();
  const auto post = [&](const std::string& path, const std::string& body) {
    return taken_for(config, "POST", path, body);
  };
  EXPECT_EQ(post("/v1/chat/completions", R"({"model":"gpt-4"})"), "chat-gpt-4 10");
  EXPECT_EQ(post("/v1/chat/completions", R"({"model":"gpt-4o-mini"})"), "chat-gpt-4 10");
  EXPECT_EQ(post("/v1/chat/completions", R"({"model":"gpt-3.5-turbo"})"), "chat-gpt-3.5 2");
  EXPECT_EQ(post("/v1/responses", R"({"model":"gpt-4.1"})"), "responses-gpt-4 10");
  EXPECT_EQ(post("/v1/responses", R"({"model":"gpt-3.5-turbo"})"), "responses-gpt-3.5 2");
  EXPECT_EQ(post("/v1/messages", R"({"model":"claude-sonnet-4"})"), "messages-claude 8");
  EXPECT_EQ(post("/v1/messages/count_tokens", R"({"model":"claude-sonnet-4"})"),
            "anthropic-count-tokens 0.1");
  EXPECT_EQ(post("/v1/knowledge-bases/k/query", R"({"query":"a"})"), "knowledge-query 1");
  EXPECT_EQ(post("/v1/knowledge-bases/k/query", R"({"queries":["a","b","c"]})"),
            "knowledge-query 3");
  EXPECT_EQ(post("/v1/files", "x"), "openai-files 0.1");
  EXPECT_EQ(post("/v1/agents/a1/conversations/c1/messages", "{}"), "agent-conversations 0.1");
  EXPECT_EQ(post("/v1/agents/a1/tools", "{}"), "agents 0.1");
  EXPECT_EQ(taken_for(config, "GET", "/v1/agents/a1"), "agents 0.1");
  EXPECT_EQ(taken_for(config, "GET", "/v1/agents"), "agents-list 0.1");
  EXPECT_EQ(taken_for(config, "GET", "/v1/models"), "openai-models 0.1");
  EXPECT_EQ(taken_for(config, "GET", "/v1/models", "", "anthropic-version"),
            "anthropic-models 0.1");
  EXPECT_EQ(taken_for(config, "GET", "/v1/files/f1/content"), "openai-file-content 0.1");
  EXPECT_EQ(taken_for(config, "DELETE", "/v1/files/f1"), "openai-file 0.1");
}

// Each of these would cost more than any route that could take it.
TEST(shipped, what_is_not_priced_does_not_pass) {
  const configuration config = shipped();
  for (const char* path : {"/v1/batches",
                           "/v1/messages/batches",
                           "/v1/embeddings",
                           "/v1/completions",
                           "/v1/images/generations",
                           "/v1/moderations",
                           "/v1/fine_tuning/jobs",
                           "/v1/realtime/sessions",
                           "/v1/assistants",
                           "/v1/threads/runs",
                           "/v1/threads/t/runs",
                           "/v1/vector_stores",
                           "/v1/responses/compact",
                           "/v1/responses/r1/cancel",
                           "/v1/complete",
                           "/v1/uploads",
                           "/v1/audio/voices",
                           "/v1/videos",
                           "/v1/models/m",
                           "/v1/organization/admin_api_keys",
                           "/"}) {
    for (const char* model : {"gpt-4", "gpt-3.5-turbo", "claude-3"}) {
      EXPECT_EQ(taken_for(config, "POST", path, std::string{R"({"model":")"} + model + "\"}"),
                "no_route")
          << path;
    }
  }
  EXPECT_EQ(taken_for(config, "GET", "/v1/files"), "no_route");
  EXPECT_EQ(taken_for(config, "GET", "/v1/realtime?model=gpt-4o-realtime"), "no_route");
  EXPECT_EQ(taken_for(config, "DELETE", "/v1/models/ft"), "no_route");
  for (const char* model :
       {"gpt-5", "o3", "ft:gpt-4", "claude-3", "", "GPT", "chatgpt-4o-latest"}) {
    EXPECT_EQ(taken_for(config, "POST", "/v1/chat/completions",
                        std::string{R"({"model":")"} + model + "\"}"),
              "no_route")
        << model;
  }
  EXPECT_EQ(taken_for(config, "POST", "/v1/chat/completions", "{}"), "no_route");
  EXPECT_EQ(taken_for(config, "POST", "/v1/messages", R"({"model":"gpt-4"})"), "no_route");
}

TEST(shipped, only_agents_go_on_without_credits_and_nothing_is_only_watched) {
  for (const auto& route : shipped().values.routes) {
    EXPECT_EQ(route.critical, route.name == "agents" || route.name == "agent-conversations");
    EXPECT_FALSE(route.shadow) << route.name;
  }
}

}  // namespace
}  // namespace tollgate::config
