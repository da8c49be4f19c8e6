#include "routes/json_members.hpp"

#include <gtest/gtest.h>

namespace tollgate::routes {
namespace {

json_pointer make_pointer(std::string_view text) {
  auto parsed = json_pointer::parse(text);
  if (const auto* wrong = std::get_if<std::string>(&parsed)) throw std::logic_error{*wrong};
  return std::get<json_pointer>(std::move(parsed));
}

// "text", "[3]" for an array, "{}" for an object, "null", "absent", "ambiguous", or "invalid".
std::string read(const std::string& body, std::string_view pointer) {
  const json_body parsed{body};
  if (!parsed.error().empty()) return "invalid";
  const auto value = parsed.read(make_pointer(pointer));
  switch (value.is) {
    case reading::state::absent:
      return "absent";
    case reading::state::ambiguous:
      return "ambiguous";
    case reading::state::present:
      break;
  }
  if (value.null) return "null";
  if (value.scalar) return value.text;
  return value.elements > 0 ? "[" + std::to_string(value.elements) + "]" : "[] or {}";
}

struct json_case {
  std::string body, pointer, out;
};

class json_read : public testing::TestWithParam<json_case> {};

TEST_P(json_read, is_right) {
  EXPECT_EQ(read(GetParam().body, GetParam().pointer), GetParam().out) << GetParam().body;
}

INSTANTIATE_TEST_SUITE_P(
    values, json_read,
    testing::Values(
        json_case{R"({"model":"gpt-4"})", "/model", "gpt-4"},
        json_case{R"( {"a":1, "model" : "gpt-4" } )", "/model", "gpt-4"},
        json_case{"{}", "/model", "absent"}, json_case{"[]", "/model", "absent"},
        json_case{"\"x\"", "/model", "absent"}, json_case{"3", "", "3"},
        json_case{"null", "", "null"}, json_case{R"({"model":null})", "/model", "null"},
        json_case{R"({"model":{}})", "/model", "[] or {}"},
        json_case{R"({"q":[1,[2],{}]})", "/q", "[3]"}, json_case{R"({"q":[]})", "/q", "[] or {}"},
        json_case{R"({"m":true})", "/m", "true"}, json_case{R"({"m":false})", "/m", "false"},
        json_case{R"({"m":2})", "/m", "2"}, json_case{R"({"m":-7})", "/m", "-7"},
        json_case{R"({"m":2.0})", "/m", "2"}, json_case{R"({"m":2e0})", "/m", "2"},
        json_case{R"({"m":-0.0})", "/m", "0"}, json_case{R"({"m":0.50})", "/m", "0.5"},
        json_case{R"({"m":1e300})", "/m", "1e+300"},
        json_case{R"({"m":18446744073709551615})", "/m", "18446744073709551615"},
        json_case{R"({"m":-9223372036854775808})", "/m", "-9223372036854775808"},
        // escapes in names and values
        json_case{R"({"mod\u0065l":"g\u0070t"})", "/model", "gpt"},
        json_case{R"({"m":"\u00e9\ud83d\ude00"})", "/m", "\xC3\xA9\xF0\x9F\x98\x80"},
        json_case{R"({"m":"a\nb"})", "/m", "a\nb"}, json_case{R"({"a/b":1})", "/a~1b", "1"},
        json_case{R"({"a~b":1})", "/a~0b", "1"}, json_case{R"({"~1":1})", "/~01", "1"},
        json_case{R"({"":5})", "/", "5"},
        // deeper
        json_case{R"({"a":{"b":{"c":"x"}}})", "/a/b/c", "x"},
        json_case{R"({"a":"x"})", "/a/b", "absent"},
        json_case{R"({"a":[{"b":1},{"b":2}]})", "/a/1/b", "2"},
        json_case{R"({"a":[1]})", "/a/1", "absent"}, json_case{R"({"a":[1]})", "/a/-", "absent"},
        json_case{R"({"a":[1,2]})", "/a/01", "absent"}, json_case{R"({"a":[1]})", "/a/x", "absent"},
        json_case{R"({"a":[1]})", "/a/", "absent"},
        json_case{R"({"a":[1]})", "/a/99999999999999999999999", "absent"},
        json_case{R"({"a":{"0":1}})", "/a/0", "1"}));

INSTANTIATE_TEST_SUITE_P(
    members_that_stand_twice, json_read,
    testing::Values(json_case{R"({"model":"a","model":"b"})", "/model", "ambiguous"},
                    json_case{R"({"model":"a","model":"a"})", "/model", "ambiguous"},
                    json_case{R"({"model":"a","mod\u0065l":"b"})", "/model", "ambiguous"},
                    json_case{R"({"model":"a","Model":"b"})", "/model", "ambiguous"},
                    json_case{R"({"MODEL":"a","model":"b"})", "/model", "ambiguous"},
                    json_case{R"({"Model":"a"})", "/model", "ambiguous"},
                    json_case{R"({"Model":"a","MODEL":"a"})", "/model", "ambiguous"},
                    json_case{R"({"model":"a"})", "/Model", "ambiguous"},
                    json_case{R"({"a":{"b":1},"a":{"b":2}})", "/a/b", "ambiguous"},
                    json_case{R"({"a":{"b":1},"A":0})", "/a/b", "ambiguous"},
                    json_case{R"({"a":{"b":1,"B":2}})", "/a/b", "ambiguous"},
                    json_case{R"({"a":[{"b":1,"b":2}]})", "/a/0/b", "ambiguous"},
                    json_case{R"({"tasks":1,"ta)"
                              "\xC5\xBF"
                              R"(ks":2})",
                              "/tasks", "ambiguous"},
                    json_case{R"({"task\u017f":2})", "/tasks", "ambiguous"},
                    json_case{R"({"\u212aey":1,"key":2})", "/key", "ambiguous"},
                    // repeated elsewhere, which does not matter
                    json_case{R"({"x":1,"x":2,"model":"a"})", "/model", "a"},
                    json_case{R"({"a":{"model":"x"},"model":"a"})", "/model", "a"},
                    json_case{R"({"models":"x","model":"a"})", "/model", "a"}));

// member_name_test.cpp has more of these names.
INSTANTIATE_TEST_SUITE_P(
    members_that_some_take_for_it, json_read,
    testing::Values(
        json_case{R"({"model\u0000x":"gpt-4","model":"gpt-3.5-turbo"})", "/model", "ambiguous"},
        json_case{R"({"model":"gpt-3.5-turbo","model\u0000x":"gpt-4"})", "/model", "ambiguous"},
        json_case{R"({"queries\u0000":[1,2,3],"queries":[1]})", "/queries", "ambiguous"},
        json_case{R"({"model\u0000":"gpt-4"})", "/model", "ambiguous"},
        json_case{R"({"model ":"a","model":"b"})", "/model", "ambiguous"},
        json_case{R"({"\u001fmodel":"a","model":"b"})", "/model", "ambiguous"},
        json_case{R"({"mod\u200bel":"a","model":"b"})", "/model", "ambiguous"},
        json_case{R"({"\uff4dodel":"a","model":"b"})", "/model", "ambiguous"},
        json_case{R"({"bestOf":9,"best_of":1})", "/best_of", "ambiguous"},
        json_case{R"({"__proto__":{"n":128}})", "/n", "ambiguous"},
        json_case{R"({"N":128})", "/n", "ambiguous"},
        json_case{R"({"a":{"b\u0000c":2,"b":1}})", "/a/b", "ambiguous"},
        json_case{R"({"x":{"model\u0000":"a"},"model":"b"})", "/model", "b"},
        json_case{R"({"models":"a","modèle":"c","model":"b"})", "/model", "b"},
        json_case{R"({"model\ud800":"a","model":"b"})", "/model", "invalid"},
        json_case{R"({"model\udc00":"a","model":"b"})", "/model", "invalid"}));

INSTANTIATE_TEST_SUITE_P(
    invalid, json_read,
    testing::Values(
        json_case{"", "/m", "invalid"}, json_case{"   ", "/m", "invalid"},
        json_case{"{", "/m", "invalid"}, json_case{R"({"m":1}x)", "/m", "invalid"},
        json_case{R"({"m":1}{"m":2})", "/m", "invalid"}, json_case{R"({"m":1,})", "/m", "invalid"},
        json_case{R"({m:1})", "/m", "invalid"}, json_case{R"({'m':1})", "/m", "invalid"},
        json_case{R"({"m":01})", "/m", "invalid"}, json_case{R"({"m":+1})", "/m", "invalid"},
        json_case{R"({"m":.5})", "/m", "invalid"}, json_case{R"({"m":NaN})", "/m", "invalid"},
        json_case{R"({"m":1e999})", "/m", "invalid"}, json_case{R"({"m":"a)", "/m", "invalid"},
        json_case{R"({"m":"\x"})", "/m", "invalid"},
        json_case{R"({"m":"\ud800"})", "/m", "invalid"},
        json_case{"{\"m\":\"a\nb\"}", "/m", "invalid"},
        json_case{"{\"m\":\"\xFF\"}", "/m", "invalid"},
        json_case{"{\"m\":\"\xC0\xAF\"}", "/m", "invalid"},
        json_case{"\xEF\xBB\xBF{\"m\":1}", "/m", "invalid"},
        json_case{"{/**/\"m\":1}", "/m", "invalid"},
        json_case{std::string{"{\"m\":1}\0", 8}, "/m", "invalid"},
        json_case{R"({"m":tru})", "/m", "invalid"}, json_case{R"({"m" 1})", "/m", "invalid"},
        json_case{std::string(2000, '['), "/m", "invalid"},
        json_case{std::string(2000, '[') + std::string(2000, ']'), "/m", "invalid"}));

TEST(json_body, is_read_whatever_room_its_string_has) {
  std::string body = R"({"model":"gpt-4"})";
  EXPECT_EQ(read(body, "/model"), "gpt-4");
  body.reserve(4096);
  EXPECT_EQ(read(body, "/model"), "gpt-4");
}

TEST(json_body, counts_beyond_what_the_parser_counts) {
  const std::size_t many = 0xFFFFFF + 5;
  std::string body = R"({"q":[0)";
  body.reserve(2 * many + 100);
  for (std::size_t i = 1; i < many; ++i) body += ",0";
  body += "]}";
  EXPECT_EQ(read(body, "/q"), "[" + std::to_string(many) + "]");
}

TEST(json_body, a_large_one_does_not_spoil_the_next) {
  const auto large = R"({"pad":")" + std::string(1'000'000, 'x') + R"(","model":"a"})";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(read(large, "/model"), "a");
    EXPECT_EQ(read(R"({"model":"b"})", "/model"), "b");
  }
}

TEST(json_pointer, refuses_what_is_none) {
  for (const std::string& text :
       {std::string{"model"}, std::string{"/~"}, std::string{"/~2"}, std::string{"/caf\xC3\xA9"},
        std::string{"/a\n"}, "/" + std::string(256, 'a')})
    EXPECT_TRUE(std::holds_alternative<std::string>(json_pointer::parse(text))) << text;
  EXPECT_EQ(make_pointer("/model").shown(), "model");
  EXPECT_EQ(make_pointer("/a/b").shown(), "/a/b");
  EXPECT_EQ(make_pointer("").tokens().size(), 0u);
}

}  // namespace
}  // namespace tollgate::routes
