// The least that a call can cost, by its head: never more than it costs in the end.
#include <random>

#include <gtest/gtest.h>

#include "routes/json_members.hpp"
#include "tests/unit/routes/support.hpp"

namespace tollgate::routes {
namespace {

const route_table& chat_table() {
  static const auto table = table_of(
      {on{"gpt-4", "gpt-4"}.post("/v1/chat/completions").json("/model", {"gpt-4*"}),
       on{"gpt-3.5", "gpt-3.5"}.post("/v1/chat/completions").json("/model", {"gpt-3.5*"}),
       on{"query", "query"}.post("/v1/query").type({"application/json"}).counting("/queries"),
       on{"critical", "claude"}.post("/critical/**").json("/model", {"a"}).critically(),
       on{"shadow", "claude"}.post("/shadow").json("/model", {"a"}).shadowed(),
       on{"any", "api"}.path("/v1/**"), on{"free", "free"}.path("/free/**")});
  return table;
}

least_call least_of(const head& request) {
  const auto target = read_target(request.view());
  return chat_table().least(request.view(), std::get<clean_target>(target));
}
std::string cheapest(const head& request) {
  const auto least = least_of(request);
  return least.cheapest == nullptr ? "none" : least.cheapest->settings.name;
}

TEST(least_call, is_the_cheapest_route_that_its_body_may_choose) {
  EXPECT_EQ(cheapest({"POST", "/v1/chat/completions", {{"Content-Type", "application/json"}}}),
            "gpt-3.5");  // the broader route does not take a call that misses the others
  EXPECT_EQ(cheapest({"GET", "/v1/chat/completions"}), "any");
  EXPECT_EQ(cheapest({"POST", "/v1/query", {{"Content-Type", "application/json"}}}), "query");
  EXPECT_EQ(cheapest({"POST", "/free/x"}), "free");
  EXPECT_EQ(cheapest({"POST", "/nowhere"}), "none");
}

TEST(least_call, says_whether_it_may_be_critical_or_only_watched) {
  EXPECT_TRUE(least_of({"POST", "/critical/x"}).may_be_critical);
  EXPECT_FALSE(least_of({"POST", "/critical/x"}).may_be_shadow);
  EXPECT_TRUE(least_of({"POST", "/shadow"}).may_be_shadow);
  EXPECT_FALSE(least_of({"POST", "/v1/chat/completions"}).may_be_critical);
}

// Every route of a random table, every body: what the call costs is at least the least.
TEST(least_call, is_never_more_than_the_call_costs) {
  std::mt19937 random{11};
  const auto one_of = [&](const std::vector<std::string>& from) {
    return from[random() % from.size()];
  };
  int priced = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<route_settings> routes;
    const auto count = 2 + random() % 5;
    for (std::size_t i = 0; i < count; ++i) {
      on made{"r" + std::to_string(i),
              one_of({"gpt-4", "claude", "gpt-3.5", "query", "api", "free"})};
      made.path(one_of({"/v1/a", "/v1/*", "/v1/**", "/v1/b", "/**"}));
      if (random() % 2 == 0) made.json(one_of({"/model", "/kind"}), {one_of({"x", "y", "*"})});
      if (random() % 4 == 0) made.type({"application/json"});
      if (made.rate == "query" && random() % 2 == 0) made.counting("/queries");
      if (random() % 5 == 0) made.critically();
      if (random() % 6 == 0) made.shadowed();
      routes.push_back(made);
    }
    auto built = route_table::build(routes, rate_card());
    if (!std::holds_alternative<route_table>(built)) continue;  // one of them can never match
    const auto& table = std::get<route_table>(built);
    for (const std::string path : {"/v1/a", "/v1/b", "/v1/a/b", "/c"}) {
      for (const std::string body :
           {R"({"model":"x"})", R"({"model":"y","queries":[1,2]})", R"({"kind":"x"})", "{}",
            R"({"kind":"y","model":"x","queries":[]})"}) {
        const head request{"POST",
                           path,
                           {{"Content-Type", one_of({"application/json", "application/json; a=b"})},
                            {"Content-Length", std::to_string(body.size())}}};
        const auto target = std::get<clean_target>(read_target(request.view()));
        const auto found = table.classify(request.view(), target, &body);
        const auto* taken = std::get_if<classified>(&found);
        if (taken == nullptr) continue;
        const auto least = table.least(request.view(), target);
        ASSERT_NE(least.cheapest, nullptr) << round << " " << path << " " << body;
        EXPECT_LE(quota::price(least.cheapest->price_at, least.estimated),
                  quota::price(taken->matched->price_at, taken->estimated))
            << round << " " << path << " " << body;
        EXPECT_TRUE(least.may_be_critical || !taken->matched->settings.critical) << round;
        EXPECT_TRUE(least.may_be_shadow || !taken->matched->settings.shadow) << round;
        ++priced;
      }
    }
  }
  EXPECT_GT(priced, 500);
}

TEST(memory_for_a_body, is_little_for_an_image_and_much_for_many_small_values) {
  std::string image = R"({"model":"gpt-4o","image":")" + std::string(1'000'000, 'A') + "\"}";
  image.reserve(image.size() + room_behind_body);
  EXPECT_LT(memory_to_parse(image), image.size() * 11 / 10);
  std::string numbers = "[1";
  while (numbers.size() < 1'000'000) numbers += ",1";
  numbers += "]";
  EXPECT_GT(memory_to_parse(numbers), numbers.size() * 10);
}

}  // namespace
}  // namespace tollgate::routes
