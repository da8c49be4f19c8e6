#include "routes/text.hpp"

#include <gtest/gtest.h>

#include "routes/suggest.hpp"

namespace tollgate::routes {
namespace {

TEST(fold, lowers_ascii_and_the_two_letters_in_disguise) {
  EXPECT_EQ(fold("AbZ09[`"), "abz09[`");
  EXPECT_EQ(fold("\xE2\x84\xAA\xC5\xBF"), "ks");
  EXPECT_EQ(fold("\xC3\x89\xE2\x84"), "\xC3\x89\xE2\x84");
}

TEST(one_line, shows_what_would_break_it) {
  EXPECT_EQ(one_line("plain \"text\""), "plain \"text\"");
  EXPECT_EQ(one_line("ERROR: a\nDETAIL:\tb\r"), "ERROR: a\\nDETAIL:\\tb\\x0d");
  EXPECT_EQ(one_line("caf\xE9 \x1B[31m \xC2\x85 \x7F \xC3\xA9"),
            "caf\xEF\xBF\xBD \\x1b[31m \\x85 \\x7f \xC3\xA9");
}

TEST(text, is_judged) {
  EXPECT_TRUE(is_token("X-Api_Key"));
  for (const auto* text : {"", "a b", "a:b", "a/b", "\xC3\xA9"})
    EXPECT_FALSE(is_token(text)) << text;
  for (const auto* text : {"a\n", "\x7F", "\x1F", "\xC2\x80", "\xC2\x9F"})
    EXPECT_TRUE(has_control(text));
  EXPECT_FALSE(has_control("a b\xC2\xA0\xC3\xA9"));
  for (const auto* text :
       {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(text));
  for (const auto* text :
       {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82"})
    EXPECT_FALSE(is_utf8(text));
  EXPECT_FALSE(is_certain(" a"));
  EXPECT_FALSE(is_certain("a "));
  EXPECT_TRUE(is_certain("a b"));
}

TEST(shown, is_short_and_printable) {
  EXPECT_EQ(shown("gpt-5"), "\"gpt-5\"");
  EXPECT_EQ(shown("a\x1B[31m\xC2\x9B\xFF"), "\"a?[31m??\"");
  EXPECT_EQ(shown(std::string(1000, 'x')), "\"" + std::string(80, 'x') + "...\"");
  const auto cut = shown(std::string(79, 'x') + "\xC3\xA9\xC3\xA9");
  EXPECT_EQ(cut, "\"" + std::string(79, 'x') + "...\"");
}

TEST(nearest, finds_slips_and_nothing_else) {
  const std::vector<std::string> known{"gpt-4", "gpt-3.5", "claude", "api", "query"};
  const auto of = [&](std::string_view wrong) { return nearest(wrong, known).value_or("-"); };
  EXPECT_EQ(of("gpt4"), "gpt-4");
  EXPECT_EQ(of("GPT-4"), "gpt-4");
  EXPECT_EQ(of("cluade"), "claude");
  EXPECT_EQ(of("claud"), "claude");
  EXPECT_EQ(of("apis"), "api");
  EXPECT_EQ(of("ipa"), "-");
  EXPECT_EQ(of("whisper"), "-");
  EXPECT_EQ(of(""), "-");
  EXPECT_EQ(of(std::string(5'000, 'a')), "-");
  EXPECT_EQ(did_you_mean("gpt4", known), "; did you mean \"gpt-4\"?");
  EXPECT_EQ(did_you_mean("whisper", known), "");
}

}  // namespace
}  // namespace tollgate::routes
