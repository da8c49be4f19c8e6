#include "config/document.hpp"

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

// The tree in one line, with a position if one is requested: map{key=value}, [items], 'text', ~.
std::string show(const node& from, bool positions = false) {
  std::string out;
  switch (from.what) {
    case node::type::null:
      out = "~";
      break;
    case node::type::scalar:
      out = "'" + from.text + "'";
      break;
    case node::type::list:
      for (const auto& item : from.items) out += (out.empty() ? "" : ", ") + show(*item, positions);
      out = "[" + out + "]";
      break;
    case node::type::map:
      for (const auto& [key, at, value] : from.members) {
        out += (out.empty() ? "" : ", ") + key + "=" + show(*value, positions);
      }
      out = "{" + out + "}";
      break;
  }
  if (!positions) return out;
  return out + "@" + std::to_string(from.at.line) + ":" + std::to_string(from.at.column);
}

std::string read(const std::string& text, bool positions = false) {
  problems found;
  const auto root = read_document(text, found);
  std::string out = root ? show(*root, positions) : "";
  for (const auto& [at, message] : found.sorted()) {
    out += (out.empty() ? "" : " ! ") + std::to_string(at.line) + ":" + std::to_string(at.column) +
           ": " + message;
  }
  return out;
}

TEST(document, maps_lists_and_scalars) {
  EXPECT_EQ(read("a: 1\nb: [x, 'y', \"z\"]\nc: { d: ~, e: }\n"),
            "{a='1', b=['x', 'y', 'z'], c={d=~, e=~}}");
  EXPECT_EQ(read(""), "~");
  EXPECT_EQ(read("# nothing\n"), "~");
  EXPECT_EQ(read("---\na: 1\n...\n"), "{a='1'}");
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a: 1"),
            "{a='1'}");
  EXPECT_EQ(read("a: 1\r\nb: 2\r\n"), "{a='1', b='2'}");
  EXPECT_EQ(read("null: 1\n"), "1:1: a key must be text");
  EXPECT_EQ(read("\"null\": 1\n"), "{null='1'}");
}

TEST(document, positions_are_lines_and_characters_from_1) {
  EXPECT_EQ(read("a: 1\nb:\n  - x\n  -  'y'\n", true), "{a='1'@1:4, b=['x'@3:5, 'y'@4:6]@3:3}@1:1");
  EXPECT_EQ(read("\xC3\xA9: \xC3\xBC\n\xE2\x82\xAC\xF0\x9F\x99\x82: [1, 2]\n", true),
            "{\xC3\xA9='\xC3\xBC'@1:4, \xE2\x82\xAC\xF0\x9F\x99\x82=['1'@2:6, '2'@2:9]@2:5}@1:1");
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a: 1",
                 true),
            "{a='1'@1:4}@1:1");
  EXPECT_EQ(read("a:\r\n  b: 1", true), "{a={b='1'@2:6}@2:3}@1:1");
}

TEST(document, a_missing_value_stands_where_its_key_does) {
  EXPECT_EQ(read("a:\n\n# c\nb: ~\n", true), "{a=~@1:1, b=~@4:4}@1:1");
  EXPECT_EQ(read("- x\n-\n- y\n", true), "['x'@1:3, ~@1:1, 'y'@3:3]@1:1");
}

TEST(document, aliases_share_their_anchor) {
  EXPECT_EQ(read("a: &x { b: 1 }\nc: *x\n", true), "{a={b='1'@1:12}@1:4, c={b='1'@1:12}@1:4}@1:1");
  EXPECT_EQ(read("a: &x\nb: *x\n"), "{a=~, b=~}");
  EXPECT_EQ(read("a: *x\n"), "1:4: YAML: the referenced anchor is not defined");
  EXPECT_EQ(read("a: &x [*x]\n"), "1:8: this alias contains itself");
  EXPECT_EQ(read("a: &x b\n*x : c\n"), "2:1: a key must be written out, not an alias");
}

TEST(document, duplicate_keys_are_reported_and_the_rest_is_read) {
  EXPECT_EQ(read("a: 1\nb: 2\na: 3\nc: 4\n"),
            "{a='1', b='2', c='4'} ! 3:1: duplicate key \"a\"; it is set at 1:1 already");
  EXPECT_EQ(read("{x: {k: 1, k: 2}, x: 3}"),
            "{x={k='1'}} ! 1:12: duplicate key \"k\"; it is set at 1:6 already"
            " ! 1:19: duplicate key \"x\"; it is set at 1:2 already");
}

TEST(document, syntax_errors) {
  EXPECT_EQ(read("a: [1, 2\nb: 3\n"), "1:4: this \"[\" is never closed");
  EXPECT_EQ(read("a: 1\n  b: 2\n"),
            "2:4: YAML: illegal map value (check the indentation; text that contains \": \" needs "
            "quotes)");
  EXPECT_EQ(read("a:\n\t- b\n"), "2:1: a tab; YAML is indented with spaces");
  EXPECT_EQ(read("a: {b: ${C}}\n"),
            "1:9: YAML: end of map flow not found (inside { } and [ ] a variable needs quotes: "
            "\"${NAME}\")");
  EXPECT_EQ(read("a: 1\n---\nb: 2\n"),
            "2:1: a second YAML document; the configuration is one document");
  EXPECT_EQ(read("a: 1\n...\nb\n"),
            "3:1: a second YAML document; the configuration is one document");
  EXPECT_EQ(read("? [a]\n: b\n"), "1:3: a key must be text");
  EXPECT_EQ(read("a: !secret b\n"), "1:4: a YAML tag; the type of a value follows from its key");
  EXPECT_EQ(read("a: !!int 1\n"), "1:4: a YAML tag; the type of a value follows from its key");
}

// yaml-cpp reads these to the end of the file without an error.
TEST(document, a_quote_that_is_never_closed) {
  EXPECT_EQ(read("a: \"b\nc: d\n"), "1:4: this quote is never closed");
  EXPECT_EQ(read("a: 'b\nc: d\n"), "1:4: this quote is never closed");
  EXPECT_EQ(read("a: 'it''s\n"), "1:4: this quote is never closed");
  EXPECT_EQ(read("a: \"b\\\"\n"), "1:4: this quote is never closed");
  EXPECT_EQ(read("a: &x \"b\n"), "1:4: this quote is never closed");
  EXPECT_EQ(read("a: 'it''s'\nb: \"\\\"\"\nc: &x 'd'\n"), "{a='it's', b='\"', c='d'}");
}

TEST(document, text_is_plain_utf8) {
  EXPECT_EQ(read("a: b\xFF\n"), "1:5: not UTF-8");
  EXPECT_EQ(read("a: \xC3\n"), "1:4: not UTF-8");
  EXPECT_EQ(read("a: b\n\x04: c\n"), "2:1: a control character");
  EXPECT_EQ(read(std::string{"a: b\0\n", 6}), "1:5: a control character");
  EXPECT_EQ(read("\xFF\xFE"
                 "a\0"),
            "1:1: not UTF-8");
}

TEST(document, size_and_depth_are_bounded) {
  EXPECT_EQ(read(std::string(largest_file + 1, '#')), "0:0: the file is larger than 1 MiB");
  EXPECT_EQ(read(std::string(largest_file, '#')), "~");
  const std::string nested(deepest_nesting, '[');
  const std::string closed(deepest_nesting, ']');
  EXPECT_EQ(read(nested + closed).substr(0, 4), "[[[[");
  EXPECT_EQ(read("[" + nested + closed + "]"), "1:33: nested too deeply");
  EXPECT_EQ(read(std::string(largest_file, '[')).substr(0, 2), "1:");
  EXPECT_EQ(read(std::string(largest_file, '{')).substr(0, 2), "1:");
}

TEST(document, aliases_cannot_unfold_without_bound) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j == 0 ? "" : ", ") + before;
    bomb += "]\n";
  }
  EXPECT_EQ(read(bomb), "7:15: the aliases up to here expand to more than 4 MiB");
  const std::string long_text =
      "a: &x " + std::string(500'000, 'y') + "\nb: [*x, *x, *x, *x, *x, *x, *x, *x, *x]\n";
  EXPECT_EQ(read(long_text), "2:37: the aliases up to here expand to more than 4 MiB");
}

}  // namespace
}  // namespace tollgate::config
