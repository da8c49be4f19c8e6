#include <random>

#include <gtest/gtest.h>

#include "routes/glob.hpp"
#include "routes/normal_path.hpp"
#include "routes/path_pattern.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

glob make_glob(std::string_view text) {
  auto parsed = glob::parse(text);
  if (const auto* wrong = std::get_if<std::string>(&parsed)) throw std::logic_error{*wrong};
  return std::get<glob>(std::move(parsed));
}

path_pattern make_path(std::string_view text) {
  auto parsed = path_pattern::parse(text);
  if (const auto* wrong = std::get_if<std::string>(&parsed))
    throw std::logic_error{std::string{text} + " " + *wrong};
  return std::get<path_pattern>(std::move(parsed));
}

// The definition of a glob, implemented literally. Exponential, for short texts only.
bool naive(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*')
    return naive(pattern.substr(1), text) || (!text.empty() && naive(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         naive(pattern.substr(1), text.substr(1));
}

std::string random_text(std::mt19937& random, std::string_view letters, std::size_t longest) {
  std::string out;
  for (auto n = random() % (longest + 1); n > 0; --n) out += letters[random() % letters.size()];
  return out;
}

struct glob_case {
  std::string pattern, text;
  bool matches;
};

class glob_match : public testing::TestWithParam<glob_case> {};

TEST_P(glob_match, is_right) {
  const auto& [pattern, text, matches] = GetParam();
  EXPECT_EQ(make_glob(pattern).matches(fold(text)), matches) << pattern << " on " << text;
}

INSTANTIATE_TEST_SUITE_P(
    cases, glob_match,
    testing::Values(
        glob_case{"gpt-4*", "gpt-4", true}, glob_case{"gpt-4*", "gpt-4o-mini", true},
        glob_case{"gpt-4*", "gpt-3.5-turbo", false}, glob_case{"gpt-4*", "xgpt-4", false},
        glob_case{"gpt-4*", "GPT-4o", true}, glob_case{"GPT-4*", "gpt-4o", true},
        glob_case{"*", "", true}, glob_case{"*", "anything", true}, glob_case{"**", "", true},
        glob_case{"?", "", false}, glob_case{"?", "a", true}, glob_case{"?", "ab", false},
        glob_case{"?", "\xC3\xA9", true}, glob_case{"??", "\xC3\xA9", false},
        glob_case{"*a", "bab", false}, glob_case{"*a", "baba", true},
        glob_case{"a*b*c", "axxbyyc", true}, glob_case{"a*b*c", "axxcyyb", false},
        glob_case{"*ab*ab", "abxab", true}, glob_case{"*ab*ab", "ab", false},
        glob_case{"a.c", "abc", false}, glob_case{"[ab]", "a", false},
        glob_case{"[ab]", "[ab]", true}, glob_case{"a\\*", "a\\b", true},
        // the two characters beyond ASCII that fold to an ASCII letter
        glob_case{"task", "ta\xC5\xBF\xE2\x84\xAA", true}, glob_case{"k*", "\xE2\x84\xAAx", true},
        glob_case{"claude-*-20??", "claude-3-opus-2024", true},
        glob_case{"claude-*-20??", "claude-3-opus-202", false}));

TEST(glob, refuses_what_is_none) {
  for (const std::string& text :
       {std::string{}, std::string{"a\n"}, std::string{"\xFF"}, std::string(257, 'a')})
    EXPECT_TRUE(std::holds_alternative<std::string>(glob::parse(text))) << shown(text);
}

TEST(glob, agrees_with_its_definition) {
  std::mt19937 random{7};
  for (int round = 0; round < 100'000; ++round) {
    const auto pattern = random_text(random, "ab*?", 6);
    const auto text = random_text(random, "abc", 7);
    ASSERT_EQ(glob_matches(pattern, text), naive(pattern, text)) << pattern << " on " << text;
  }
}

TEST(glob, covers_only_what_it_matches) {
  std::mt19937 random{8};
  int covered = 0;
  for (int round = 0; round < 100'000; ++round) {
    const auto a = random_text(random, "ab*?", 5), b = random_text(random, "ab*?", 5);
    const auto text = random_text(random, "ab", 6);
    if (a.empty() || b.empty()) continue;
    const auto wide = make_glob(a), narrow = make_glob(b);
    const bool in_wide = wide.matches(text), in_narrow = narrow.matches(text);
    if (wide.covers(narrow)) {
      ++covered;
      ASSERT_TRUE(in_wide || !in_narrow) << a << " covers " << b << " but not " << text;
    }
    ASSERT_TRUE(wide.overlaps(narrow) || !(in_wide && in_narrow)) << a << ", " << b << ", " << text;
  }
  EXPECT_GT(covered, 5'000);
}

TEST(glob, covers_what_people_write) {
  for (const auto& [a, b, covers] :
       std::vector<std::tuple<const char*, const char*, bool>>{{"*", "gpt-4*", true},
                                                               {"gpt-*", "gpt-4*", true},
                                                               {"gpt-4*", "gpt-4", true},
                                                               {"gpt-4*", "GPT-4O", true},
                                                               {"gpt-4*", "gpt-*", false},
                                                               {"gpt-4", "gpt-4*", false},
                                                               {"?", "a", true},
                                                               {"?", "*", false},
                                                               {"a?", "a*", false},
                                                               {"*-mini", "gpt-*-mini", true},
                                                               {"*a*", "*ba*", true},
                                                               {"*a*", "*b*", false}})
    EXPECT_EQ(make_glob(a).covers(make_glob(b)), covers) << a << " " << b;
  EXPECT_FALSE(make_glob("gpt-*").overlaps(make_glob("claude-*")));
  EXPECT_TRUE(make_glob("*-mini").overlaps(make_glob("gpt-*")));
}

struct path_case {
  std::string pattern, path;
  path_fit fit;
  std::string agent = {}, conversation = {};
};

class path_match : public testing::TestWithParam<path_case> {};

TEST_P(path_match, is_right) {
  const auto& c = GetParam();
  path_pattern::captures found;
  const path_segments segments{c.path};
  EXPECT_EQ(make_path(c.pattern).match(segments, found), c.fit) << c.pattern << " on " << c.path;
  if (c.fit == path_fit::none) return;
  EXPECT_EQ(found.agent, c.agent);
  EXPECT_EQ(found.conversation, c.conversation);
}

constexpr auto none = path_fit::none, lenient = path_fit::lenient, exact = path_fit::exact;

INSTANTIATE_TEST_SUITE_P(
    literals, path_match,
    testing::Values(path_case{"/v1/models", "/v1/models", exact},
                    path_case{"/v1/models", "/v1/model", none},
                    path_case{"/v1/models", "/v1", none},
                    path_case{"/v1/models", "/v1/models/x", none},
                    path_case{"/v1/models", "/V1/Models", lenient},
                    path_case{"/v1/models", "/v1/models/", lenient},
                    path_case{"/v1/models/", "/v1/models", lenient},
                    path_case{"/v1/models/", "/v1/models/", exact},
                    path_case{"/V1/models", "/v1/models", lenient}, path_case{"/", "/", exact},
                    path_case{"/", "/a", none}, path_case{"/a:b", "/a:b", exact},
                    path_case{"/a:b", "/a%3Ab", lenient}, path_case{"/a%3Ab", "/a:b", lenient},
                    path_case{"/a%3ab", "/a%3Ab", exact}, path_case{"/%76%31", "/v1", exact},
                    path_case{"/tasks", "/ta%C5%BFks", lenient},
                    path_case{"/kb", "/%E2%84%AAb", lenient}, path_case{"/a%20b", "/a%20b", exact},
                    path_case{"", "/", exact}, path_case{"", "/anything/at/all/", exact}));

INSTANTIATE_TEST_SUITE_P(
    wildcards, path_match,
    testing::Values(
        path_case{"/v1/*", "/v1/a", exact}, path_case{"/v1/*", "/v1", none},
        path_case{"/v1/*", "/v1/", none}, path_case{"/v1/*", "/v1/a/b", none},
        path_case{"/v1/*", "/v1/a/", lenient}, path_case{"/v1/*/x", "/v1/a/x", exact},
        path_case{"/v1/gpt-*", "/v1/gpt-4", exact}, path_case{"/v1/gpt-*", "/v1/GPT-4", lenient},
        path_case{"/v1/gpt-*", "/v1/gp", none}, path_case{"/v1/*.json", "/v1/a.json", exact},
        path_case{"/v1/*.json", "/v1/a%20b.JSON", lenient},
        path_case{"/v1/*:generate", "/v1/m%3Agenerate", lenient}, path_case{"/**", "/", exact},
        path_case{"/**", "/a/b/c/", exact}, path_case{"/v1/**", "/v1", exact},
        path_case{"/v1/**", "/v1/", exact}, path_case{"/v1/**", "/v1/a/b", exact},
        path_case{"/v1/**", "/v2/a", none}, path_case{"/v1/**", "/V1/a", lenient},
        path_case{"/**/x", "/x", exact}, path_case{"/**/x", "/a/b/x", exact},
        path_case{"/**/x", "/a/x/b", none}, path_case{"/a/**/b/**/c", "/a/b/c", exact},
        path_case{"/a/**/b/**/c", "/a/1/b/2/3/c", exact}, path_case{"/a/**/b/**/c", "/a/c/b", none},
        path_case{"/**/a/b", "/a/a/b", exact}, path_case{"/**/a/*/b", "/a/a/a/b", exact},
        path_case{"/**/*", "/", none}, path_case{"/**/*", "/a", exact}));

INSTANTIATE_TEST_SUITE_P(
    captures, path_match,
    testing::Values(path_case{"/v1/agents/{agent}/**", "/v1/agents/a1", exact, "a1"},
                    path_case{"/v1/agents/{agent}/**", "/v1/agents/a1/x/y", exact, "a1"},
                    path_case{"/v1/agents/{agent}/**", "/v1/agents", none},
                    path_case{"/v1/agents/{agent}", "/v1/agents/A%20B", exact, "A%20B"},
                    path_case{"/{agent}/{conversation}", "/a/c", exact, "a", "c"},
                    path_case{"/{id}/x", "/7/x", exact},
                    path_case{"/**/{agent}/end", "/1/2/3/end", exact, "3"},
                    path_case{"/**/{agent}/x/{conversation}", "/a/x/x/b", exact, "x", "b"}));

TEST(path_pattern, refuses_what_is_none) {
  for (const auto* text :
       {"v1",     "*",      "/a//b", "/a/./b", "/a/../b", "/a?b",   "/a#b",         "/a**",
        "/**a",   "/{}",    "/{a",   "/a}",    "/{a}b",   "/{a-b}", "/{a}/{a}",     "/**/**",
        "/a\\b",  "/a%2Fb", "/a%",   "/a%zz",  "/a;b",    "/a b",   "/caf\xC3\xA9", "/caf%C3%A9",
        "/a*%20", "/%2A",   "//"})
    EXPECT_TRUE(std::holds_alternative<std::string>(path_pattern::parse(text))) << text;
  EXPECT_TRUE(
      std::holds_alternative<std::string>(path_pattern::parse("/" + std::string(1024, 'a'))));
}

std::string random_path(std::mt19937& random, std::initializer_list<const char*> segments) {
  std::string out;
  for (auto n = random() % 5; n > 0; --n)
    (out += '/') += segments.begin()[random() % segments.size()];
  return out.empty() ? "/" : out;
}

TEST(path_pattern, covers_only_what_it_matches) {
  std::mt19937 random{9};
  int covered = 0, apart = 0;
  for (int round = 0; round < 100'000; ++round) {
    const auto next = [&] {
      return random_path(random, {"a", "b", "A", "*", "a*", "*b", "**", "**"});
    };
    const auto a = path_pattern::parse(next()), b = path_pattern::parse(next());
    const auto* wide = std::get_if<path_pattern>(&a);
    const auto* narrow = std::get_if<path_pattern>(&b);
    if (wide == nullptr || narrow == nullptr) continue;  // "/**/**"
    const auto path = random_path(random, {"a", "b", "ab", "B", "c"});
    const path_segments segments{path};
    path_pattern::captures unused;
    const bool in_wide = wide->match(segments, unused) != none;
    const bool in_narrow = narrow->match(segments, unused) != none;
    covered += wide->covers(*narrow);
    apart += !wide->overlaps(*narrow);
    const bool broken_cover = wide->covers(*narrow) && in_narrow && !in_wide;
    const bool broken_overlap = !wide->overlaps(*narrow) && in_narrow && in_wide;
    ASSERT_FALSE(broken_cover) << wide->text() << " " << narrow->text() << " " << path;
    ASSERT_FALSE(broken_overlap) << wide->text() << " " << narrow->text() << " " << path;
  }
  EXPECT_GT(covered, 5'000);
  EXPECT_GT(apart, 5'000);
}

TEST(path_pattern, covers_what_people_write) {
  for (const auto& [a, b, covers] : std::vector<std::tuple<const char*, const char*, bool>>{
           {"/**", "", true},
           {"", "/**", true},
           {"/v1/**", "/v1/chat/completions", true},
           {"/v1/**", "/v1/agents/{agent}/**", true},
           {"/v1/chat/completions", "/V1/Chat/Completions/", true},
           {"/v1/{x}", "/v1/*", true},
           {"/v1/*", "/v1/**", false},
           {"/v1/*", "/v1/a*", true},
           {"/v1/a*", "/v1/abc", true},
           {"/v1/abc", "/v1/a*", false},
           {"/v1/**", "/**", false},
           {"/**/x", "/a/**/x", true},
           {"/a/**", "/a", true}})
    EXPECT_EQ(make_path(a).covers(make_path(b)), covers) << a << " " << b;
}

}  // namespace
}  // namespace tollgate::routes
