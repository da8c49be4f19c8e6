#include "config/substitute.hpp"

#include "tests/unit/config/support.hpp"

namespace tollgate::config {
namespace {

using test::table;

// The text, or "error: ..." .
std::string after(const std::string& text, const test::variables& env = {}) {
  const auto result = substitute(text, table(env));
  if (const auto* error = std::get_if<substitution_error>(&result))
    return "error: " + error->message;
  return std::get<substituted>(result).text;
}

TEST(substitute, variables_and_defaults) {
  const test::variables env{{"A", "1"}, {"EMPTY", ""}, {"long_NAME_2", "x"}};
  EXPECT_EQ(after("plain", env), "plain");
  EXPECT_EQ(after("", env), "");
  EXPECT_EQ(after("${A}", env), "1");
  EXPECT_EQ(after("a${A}b${A}c", env), "a1b1c");
  EXPECT_EQ(after("${long_NAME_2}", env), "x");
  EXPECT_EQ(after("${A:-2}", env), "1");
  EXPECT_EQ(after("${B:-2}", env), "2");
  EXPECT_EQ(after("${B:-}", env), "");
  EXPECT_EQ(after("${EMPTY}", env), "");
  EXPECT_EQ(after("${EMPTY:-2}", env), "2");
  EXPECT_EQ(after("${B:-a:-b {c}", env), "a:-b {c");
  EXPECT_EQ(after("${B:-https://x:1/}", env), "https://x:1/");
}

TEST(substitute, dollar_signs_are_written_twice) {
  EXPECT_EQ(after("$$"), "$");
  EXPECT_EQ(after("$${A}"), "${A}");
  EXPECT_EQ(after("a$$b$$$$"), "a$b$$");
  EXPECT_EQ(after("$$${A}", {{"A", "1"}}), "$1");
}

TEST(substitute, what_a_variable_contains_is_not_substituted_again) {
  EXPECT_EQ(after("${A}", {{"A", "${B} $$ $"}, {"B", "no"}}), "${B} $$ $");
}

TEST(substitute, everything_else_with_a_dollar_sign_is_an_error) {
  const std::string how = "error: write ${NAME}, ${NAME:-default}, or $$ for a dollar sign";
  for (const char* wrong :
       {"$", "$A", "a$", "${", "${A", "${}", "${ A}", "${A }", "${1A}", "${A-b}", "${A:b}",
        "${A:?b}", "${A:-$B}", "${A:-${B}}", "${a.b}", "${A}}$"}) {
    EXPECT_EQ(after(wrong, {{"A", "1"}, {"B", "1"}}), how) << wrong;
  }
}

TEST(substitute, unset_without_a_default_is_an_error) {
  EXPECT_EQ(after("x${NOPE}"),
            "error: the environment variable NOPE is not set (${NOPE:-default} would allow that)");
}

TEST(substitute, a_variable_is_one_line_of_text) {
  for (const char* value : {"a\nb", "a\rb", "a\tb", "\x1b[0m", "\xff", "\x7f", "\xC2\x85"}) {
    EXPECT_EQ(after("${A}", {{"A", value}}),
              "error: the environment variable A is not one line of plain UTF-8 text");
  }
  EXPECT_EQ(after("${A}", {{"A", "sch\xC3\xB6n: [x] # {y}"}}), "sch\xC3\xB6n: [x] # {y}");
}

TEST(substitute, says_whether_variables_took_part_and_were_empty) {
  const auto facts = [](const std::string& text, const test::variables& env) {
    const auto result = std::get<substituted>(substitute(text, table(env)));
    return std::pair{result.from_environment, result.all_empty};
  };
  EXPECT_EQ(facts("x", {}), (std::pair{false, false}));
  EXPECT_EQ(facts("$$", {}), (std::pair{false, false}));
  EXPECT_EQ(facts("Bearer ${A:-}", {}), (std::pair{true, true}));
  EXPECT_EQ(facts("Bearer ${A:-}", {{"A", "k"}}), (std::pair{true, false}));
  EXPECT_EQ(facts("${A:-}${B:-}", {{"B", "k"}}), (std::pair{true, false}));
}

}  // namespace
}  // namespace tollgate::config
