#include "proxy/text/json.hpp"

#include <gtest/gtest.h>

#include "proxy/text/csv.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy::admin {
namespace {

std::string number_in(std::string_view text) {
  const auto value = read_json(text);
  return value ? value->find("n")->text : "error: " + value.error().message;
}

TEST(read_json, keeps_the_text_of_numbers) {
  EXPECT_EQ(number_in(R"({"n":0.1})"), "0.1");
  EXPECT_EQ(number_in(R"({"n": -12.500000 })"), "-12.500000");
  EXPECT_EQ(number_in("{\"n\":1e3\n}"), "1e3");
}

TEST(read_json, reads_every_kind_of_value) {
  const auto value = read_json(R"({"a":[1,"x",null,true,false,{"b":{}}],"s":"a\n\u00e9"})");
  ASSERT_TRUE(value);
  const auto& elements = value->find("a")->elements;
  ASSERT_EQ(elements.size(), 6u);
  EXPECT_EQ(elements[0].text, "1");
  EXPECT_EQ(elements[1].text, "x");
  EXPECT_TRUE(elements[2].is(json_value::kind::null));
  EXPECT_TRUE(elements[3].truth);
  EXPECT_FALSE(elements[4].truth);
  EXPECT_TRUE(elements[5].find("b")->is(json_value::kind::object));
  EXPECT_EQ(value->find("s")->text, "a\n\xC3\xA9");
  EXPECT_EQ(value->find("t"), nullptr);
}

TEST(read_json, reads_a_scalar_at_the_root) {
  EXPECT_EQ(read_json(" 7.5 ")->text, "7.5");
  EXPECT_EQ(read_json("\"x\"")->text, "x");
  EXPECT_TRUE(read_json("null")->is(json_value::kind::null));
}

TEST(read_json, refuses_what_is_not_json) {
  for (const auto* text : {"", "{", "{\"a\":1}x", "{\"a\":1} {}", "{'a':1}", "{\"a\":01}",
                           "{\"a\":.5}", "{\"a\":1,}", "[1 2]", "{\"a\":nul}", "{\"a\":\"\xff\"}",
                           "tru", "{\"a\":\"\\ud800\"}", "{\"a\" 1}", "+1", "NaN"}) {
    EXPECT_FALSE(read_json(text)) << text;
  }
}

TEST(read_json, refuses_a_name_given_twice) {
  const auto value = read_json(R"({"credits":1,"credi\u0074s":1000})");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().message, "\"credits\" is duplicated");
}

TEST(read_json, refuses_deep_nesting) {
  EXPECT_TRUE(read_json(std::string(16, '[') + std::string(16, ']')));
  EXPECT_FALSE(read_json(std::string(17, '[') + std::string(17, ']')));
  EXPECT_FALSE(read_json(std::string(500'000, '[')));
}

TEST(json_writer, puts_commas_where_they_belong) {
  json_writer out;
  out.begin_object().key("a").begin_array().number(1).number(2).begin_object().end_object();
  out.end_array().key("b").begin_array().end_array().key("c").null().key("d").boolean(true);
  out.key("e").string("x").key("f").string_or_null("").end_object();
  EXPECT_EQ(out.take(), R"({"a":[1,2,{}],"b":[],"c":null,"d":true,"e":"x","f":null})");
}

TEST(json_writer, writes_credits_exactly) {
  json_writer out;
  out.begin_array().number(quota::credits::from_micro(100'000)).number(quota::credits{});
  out.number(quota::credits::from_micro(-166'667));
  out.number(quota::credits::from_micro(quota::credits::max_micro)).end_array();
  EXPECT_EQ(out.take(), "[0.1,0,-0.166667,4000000000]");
}

TEST(csv_writer, quotes_what_needs_quotes) {
  csv_writer out;
  out.text("plain").text("a,b").text("say \"hi\"").text("").number(std::int64_t{3}).end_row();
  EXPECT_EQ(out.take(), "plain,\"a,b\",\"say \"\"hi\"\"\",,3\r\n");
}

TEST(csv_writer, never_writes_a_formula) {
  csv_writer out;
  out.text("=1+1").text("@x").text("-cmd").text("+1").end_row();
  EXPECT_EQ(out.take(), "\"'=1+1\",\"'@x\",\"'-cmd\",\"'+1\"\r\n");
}

}  // namespace
}  // namespace tollgate::proxy::admin
