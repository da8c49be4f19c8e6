#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/routes/support.hpp"

namespace tollgate::routes {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(build, reports_every_mistake_where_it_stands) {
  EXPECT_THAT(
      mistakes_of({on("a", "gpt4").path("v1").line(3), on("a", "api").path("/b").line(4),
                   on("c", "api").path("/c").counting("/q").methods({"post"}).line(5),
                   on("d", "query").path("/d").counting("queries").json("/x", {}).line(6),
                   on("e", "whisper").path("/e").hosts({"h:80"}).type({"a/b; c"}).line(7)}),
      ElementsAre(
          "3: route \"a\": unknown rate \"gpt4\"; did you mean \"gpt-4\"?",
          "3: route \"a\": path \"v1\" does not begin with a slash",
          "4: route \"a\": the name is taken by another route (line 3)",
          "5: route \"c\": `count` counts queries, but rate \"api\" is not per query",
          "5: route \"c\": a method is written in capitals; did you mean \"POST\"?",
          "6: route \"d\": json \"/x\" has no values, so it can never match; \"*\" means any",
          "6: route \"d\": count \"queries\" is not a JSON pointer: it must begin with a slash",
          "7: route \"e\": unknown rate \"whisper\"",
          "7: route \"e\": host \"h:80\" must be a name without scheme and port",
          "7: route \"e\": content_type \"a/b; c\" must be one media type without parameters"));
}

TEST(build, refuses_conditions_that_mean_nothing) {
  const auto mistake = [](on route) {
    const auto all = mistakes_of({route.path("/x")});
    return all.size() == 1 ? all.front() : "not one: " + std::to_string(all.size());
  };
  EXPECT_THAT(mistake(on("x", "api").json("model", {"a"})), HasSubstr("not a JSON pointer"));
  EXPECT_THAT(mistake(on("x", "api").json("/model", {""})), HasSubstr("is empty"));
  EXPECT_THAT(mistake(on("x", "api").header("a b", {"c"})), HasSubstr("not a header name"));
  EXPECT_THAT(mistake(on("x", "api").header("a", {})), HasSubstr("has no values"));
  EXPECT_THAT(mistake(on("x", "api").query("", {"c"})), HasSubstr("is not a name"));
  EXPECT_THAT(mistake(on("x", "api").methods({"G T"})), HasSubstr("not a method"));
  EXPECT_THAT(mistake(on("x", "api").named_model(std::string(300, 'm'))),
              HasSubstr("model must be"));
  EXPECT_THAT(mistake(on("x\n", "api")), HasSubstr("name must be"));
}

struct reach_case {
  std::vector<route_settings> routes;
  std::string unreachable;  // "B by A", or empty
};

class reach : public testing::TestWithParam<reach_case> {};

TEST_P(reach, is_judged) {
  const auto& c = GetParam();
  const auto all = mistakes_of(c.routes);
  if (c.unreachable.empty()) {
    EXPECT_THAT(all, IsEmpty());
    return;
  }
  const auto by = c.unreachable.find(" by ");
  ASSERT_THAT(all, ElementsAre("0: route \"" + c.unreachable.substr(0, by) +
                               "\" can never match: \"" + c.unreachable.substr(by + 4) +
                               "\" comes first and matches everything it would"));
}

const auto model = [](const char* name, globs values) {
  return on(name, "gpt-4").post("/v1/chat/completions").json("/model", std::move(values));
};

INSTANTIATE_TEST_SUITE_P(
    never, reach,
    testing::Values(
        reach_case{{on("A", "api"), on("B", "api").path("/x")}, "B by A"},
        reach_case{{on("A", "api").path("/**"), on("B", "api")}, "B by A"},
        reach_case{{on("A", "api").path("/v1/**"), on("B", "api").path("/v1/agents/{agent}/**")},
                   "B by A"},
        reach_case{{on("A", "api").path("/x"), on("B", "api").path("/X/")}, "B by A"},
        reach_case{{on("A", "api").path("/x"), on("B", "api").post("/x")}, "B by A"},
        reach_case{{on("A", "api").get("/x"), on("B", "api").methods({"HEAD"}).path("/x")},
                   "B by A"},
        reach_case{{on("A", "api").path("/x").hosts({"*.a"}),
                    on("B", "api").path("/x").hosts({"b.a", "c.a"})},
                   "B by A"},
        reach_case{{on("A", "api").path("/x").header("x-t", {"a*"}),
                    on("B", "api").path("/x").header("X-T", {"ab"}).header("y", {"1"})},
                   "B by A"},
        reach_case{{on("A", "api").path("/x").query("q", {"*"}),
                    on("B", "api").path("/x").query("q", {"1"})},
                   "B by A"},
        reach_case{{on("A", "api").path("/x").type({"audio/*"}),
                    on("B", "api").path("/x").type({"audio/wav"})},
                   "B by A"},
        reach_case{{model("A", {"gpt-*"}), model("B", {"gpt-4*"})}, "B by A"},
        reach_case{{model("A", {"*"}), model("B", {"gpt-4*"})}, "B by A"},
        reach_case{{on("A", "api").path("/v1/chat/completions"), model("B", {"gpt-4*"})}, "B by A"},
        // a body-priced route elsewhere does not affect the catch-all here
        reach_case{
            {model("C", {"gpt-4*"}), on("A", "api").path("/**"), on("B", "api").path("/v1/agents")},
            "B by A"}));

INSTANTIATE_TEST_SUITE_P(
    sometimes, reach,
    testing::Values(
        reach_case{{on("A", "api").path("/x"), on("B", "api")}, ""},
        reach_case{{on("A", "api").post("/x"), on("B", "api").path("/x")}, ""},
        reach_case{{on("A", "api").post("/x"), on("B", "api").methods({"POST", "PUT"}).path("/x")},
                   ""},
        reach_case{{on("A", "api").path("/x").hosts({"a"}), on("B", "api").path("/x")}, ""},
        reach_case{{on("A", "api").path("/x").header("h", {"1"}), on("B", "api").path("/x")}, ""},
        reach_case{{on("A", "api").path("/x").header("h", {"1"}),
                    on("B", "api").path("/x").header("g", {"1"})},
                   ""},
        reach_case{{on("A", "api").path("/x").type({"audio/*"}),
                    on("B", "api").path("/x").type({"audio/*", "image/*"})},
                   ""},
        reach_case{{model("A", {"gpt-4*"}), model("B", {"gpt-3.5*"})}, ""},
        reach_case{{model("A", {"gpt-4*"}), model("B", {"gpt-4*", "o1"})}, ""},
        reach_case{{model("A", {"gpt-4*"}), model("B", {"*"})}, ""},
        reach_case{{model("A", {"gpt-4*"}), on("B", "api").path("/v1/chat/completions")}, ""},
        // A passes on what C claims, so B does get unknown models
        reach_case{{model("C", {"gpt-4*"}), on("A", "api").path("/**"), model("B", {"*"})}, ""},
        reach_case{{model("C", {"gpt-4*"}), on("A", "api").path("/**"),
                    on("B", "api").path("/v1/chat/completions")},
                   ""}));

class random_traffic {
 public:
  on route(int number) {
    on out{std::to_string(number), pick({"api", "gpt-4"})};
    out.path(pick({"", "/**", "/a/**", "/a", "/a/*", "/a/b", "/*/b", "/A/b/"}));
    if (one_in(3)) out.methods({pick({"POST", "GET"})});
    if (one_in(4)) out.header("t", {pick({"*", "x", "x*"})});
    if (one_in(4)) out.query("q", {pick({"*", "1"})});
    if (one_in(5)) out.type({pick({"application/*", "text/*", "*"})});
    if (one_in(2)) out.json("/m", {pick({"*", "g*", "g4", "c"})});
    if (one_in(6)) out.json("/n", {pick({"*", "1"})});
    return out;
  }

  // The result of one random call in two tables.
  std::pair<std::string, std::string> outcomes(const route_table& a, const route_table& b) {
    std::vector<std::pair<std::string, std::string>> fields{
        {"content-type", pick({"application/json", "application/x+json"})}};
    if (one_in(2)) fields.emplace_back("t", pick({"x", "xy", "z"}));
    const head request{pick({"POST", "GET", "HEAD"}),
                       pick({"/", "/a", "/a/", "/a/b", "/A/B", "/a/c", "/c/b", "/a/b/c"}) +
                           pick({"", "?q=1", "?q=2"}),
                       std::move(fields)};
    const auto body = pick({"{}", R"({"m":"g4"})", R"({"m":"g5","n":1})", R"({"m":"c"})",
                            R"({"m":null,"n":2})", R"({"m":[]})", R"({"m":"x"})"});
    return {outcome_of(a, request.view(), &body), outcome_of(b, request.view(), &body)};
  }

 private:
  std::string pick(std::initializer_list<const char*> from) {
    return from.begin()[random_() % from.size()];
  }
  bool one_in(unsigned n) { return random_() % n == 0; }
  std::mt19937 random_{11};
};

// A route that is reported as unreachable never takes a request: the routes before it take or
// refuse everything that it would take alone.
TEST(reach, raises_no_false_alarm) {
  random_traffic traffic;
  int reported = 0, relevant = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::vector<route_settings> before;
    for (int number = 0; number < 6; ++number) {
      const auto next = traffic.route(number);
      auto with_next = before;
      with_next.push_back(next);
      if (mistakes_of(with_next).empty()) {
        before = std::move(with_next);
        continue;
      }
      ++reported;
      const auto alone = table_of({next}), earlier = table_of(before);
      for (int call = 0; call < 40; ++call) {
        const auto [by_it, before_it] = traffic.outcomes(alone, earlier);
        if (by_it != next.name) continue;
        ++relevant;
        ASSERT_NE(before_it, "no_route") << mistakes_of(with_next).front();
      }
    }
  }
  EXPECT_GT(reported, 1'000);
  EXPECT_GT(relevant, 5'000);
}

}  // namespace
}  // namespace tollgate::routes
