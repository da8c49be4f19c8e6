#include "routes/readers/json_base64.hpp"

#include "tests/unit/routes/readers/support.hpp"

namespace tollgate::routes::readers {
namespace {

json_pointer pointer(std::string_view text) {
  return std::get<json_pointer>(json_pointer::parse(text));
}

outcome read(std::string_view body, std::string_view where = "/audio/data") {
  return read_body([&](sink& to) { return std::make_unique<json_base64>(pointer(where), to); },
                   body);
}
outcome audio(std::string bytes) {
  return {fault::none, std::move(bytes)};
}

TEST(json_base64, finds_the_member) {
  EXPECT_EQ(read(R"({"audio":{"data":"Zm9v"}})"), audio("foo"));
  EXPECT_EQ(read(R"( { "model" : "x\"}" , "n":[-1.5e+3,0,{"audio":{"data":"YmFy"}},[]], "audio" :
      { "format":null,"t":true,"f":false,"data" : "Zm9v" , "z":{} } } )"),
            audio("foo"));
  EXPECT_EQ(read(R"({"data":"Zm9v"})", "/data"), audio("foo"));
  EXPECT_EQ(read(R"({"a/b":{"m~n":"Zm9v"}})", "/a~1b/m~0n"), audio("foo"));
  EXPECT_EQ(read(R"({"audio":{"data":""}})"), audio(""));
}

TEST(json_base64, reads_escapes_in_names_and_text) {
  EXPECT_EQ(read(R"({"\u0061udio":{"d\u0061ta":"\u005am9v"}})"), audio("foo"));
  EXPECT_EQ(read(R"({"audio":{"data":"+\/\u002B\u002f\n++\/\/"}})"),
            read(R"({"audio":{"data":"+/+/++//"}})"));
  const auto bytes = random_bytes(20'000);
  EXPECT_EQ(read(R"({"audio":{"data":")" + to_base64(bytes) + "\"}}"), audio(bytes));
}

TEST(json_base64, does_not_take_other_members_for_it) {
  for (const auto* body :
       {R"({"data":"Zm9v"})", R"({"audio":"Zm9v"})", R"({"audio":[{"data":"Zm9v"}]})",
        R"([{"audio":{"data":"Zm9v"}}])", R"({"x":{"audio":{"data":"Zm9v"}}})", R"("audio")", "17",
        R"({"audio":{"x":{"data":"Zm9v"}},"data":"Zm9v"})", R"({"audio":{},"z":{"data":"Zm9v"}})"})
    EXPECT_EQ(read(body), (outcome{fault::missing, ""})) << body;
}

TEST(json_base64, refuses_what_could_be_read_otherwise) {
  for (const auto* body :
       {R"({"audio":{"data":"Zm9v","data":"Zm9v"}})", R"({"audio":{"data":"Zm9v"},"audio":1})",
        R"({"audio":1,"audio":{"data":"Zm9v"}})", R"({"Audio":{"data":"Zm9v"}})",
        R"({"audio":{"data":"Zm9v","DATA":""}})", R"({"audio":{"data":"Zm9v","d\u0061ta":""}})"})
    EXPECT_EQ(read(body).problem, fault::ambiguous) << body;
  EXPECT_EQ(read(R"({"voiceſ":"Zm9v"})", "/voices").problem, fault::ambiguous);
  EXPECT_EQ(read(R"({"\u212Aey":"Zm9v"})", "/key").problem, fault::ambiguous);
  // member_name_test.cpp has more of these names.
  for (const auto* name :
       {"audio\\u0000x", "aud\\u200bio", "audio ", "aud\\ud800io", "\\ufeffaudio"})
    EXPECT_EQ(
        read(std::string{"{\""} + name + R"(":{"data":"eA=="},"audio":{"data":"Zm9v"}})").problem,
        fault::ambiguous)
        << name;
  const auto long_name = "aud" + std::string(600, ' ') + "io";
  EXPECT_EQ(read("{\"" + long_name + R"(":{"data":"eA=="},"audio":{"data":"Zm9v"}})").problem,
            fault::ambiguous);
  EXPECT_EQ(read("{\"" + std::string(600, 'x') + R"(":1,"audio":{"data":"Zm9v"}})"), audio("foo"));
}

// Python skips the digits of the other alphabet, which shifts everything after them.
TEST(json_base64, refuses_digits_that_some_pass_over) {
  const auto read_strictly = [](std::string_view body) {
    const auto make = [](sink& to) {
      return std::make_unique<json_base64>(pointer("/a"), to, base64_digits::standard);
    };
    return read_body(make, body);
  };
  for (const auto* text : {"-Zm9v", "Zm9v____", "Zm\\u002d9v", "+/-_"})
    EXPECT_EQ(read_strictly(std::string{R"({"a":")"} + text + "\"}").problem, fault::ambiguous)
        << text;
  EXPECT_EQ(read_strictly(R"({"-_":"-_","a":"Zm9v+/="})").problem, fault::malformed);
  EXPECT_EQ(read_strictly(R"({"-_":"-_","a":"Zm9v"})"), audio("foo"));
}

// If the type were trusted, frames in a text would be played.
TEST(json_base64, refuses_bytes_that_are_no_text) {
  for (const std::string bytes :
       {"\xFF\xFB\x90\x44", "\x80", "\xC3", "\xC3x", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
        "\xF0\x80\x80\xAF", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80"}) {
    EXPECT_EQ(read(R"({"audio":{"data":"Zm9v"},"x":")" + bytes + "\"}").problem, fault::malformed)
        << testing::PrintToString(bytes);
    EXPECT_EQ(read("{\"" + bytes + R"(":1,"audio":{"data":"Zm9v"}})").problem, fault::malformed)
        << testing::PrintToString(bytes);
  }
  EXPECT_EQ(read("{\"\xC3\xA9\xE2\x82\xAC\":\"\xF0\x9F\x94\x8A\xED\x9F\xBF\xF4\x8F\xBF\xBF\","
                 "\"audio\":{\"data\":\"Zm9v\"}}"),
            audio("foo"));
}

TEST(json_base64, refuses_what_is_no_json) {
  for (const auto* body : {"{]",
                           "{\"a\" 1}",
                           "{\"a\":1,}",
                           "[1,]",
                           "[1 2]",
                           "{,}",
                           "{1:2}",
                           "nul1",
                           "tru e",
                           "[01]",
                           "[-]",
                           "[1.]",
                           "[.5]",
                           "[1e]",
                           "[1e+]",
                           "[+1]",
                           "[\"\\x\"]",
                           "[\"\\u12g4\"]",
                           "[\"\n\"]",
                           "{} {}",
                           "\xEF\xBB\xBF{}",
                           "'a'",
                           "[}",
                           "x",
                           "[1}",
                           "{\"a\":}",
                           "{\"audio\":{\"data\":7}}",
                           "{\"audio\":{\"data\":\"Zm9v!\"}}",
                           "{\"audio\":{\"data\":\"Zm9vY\"}}"})
    EXPECT_EQ(read(body).problem, fault::malformed) << body;
  EXPECT_EQ(read(std::string(65, '[') + std::string(65, ']')).problem, fault::malformed);
  EXPECT_EQ(read(std::string(64, '[') + std::string(64, ']')).problem, fault::missing);
}

TEST(json_base64, tells_when_the_body_breaks_off) {
  const std::string_view body = R"({"audio":{"data":"Zm9v"},"n":[1,true]})";
  for (std::size_t length = 0; length < body.size(); ++length)
    EXPECT_EQ(read(body.substr(0, length)).problem, fault::truncated) << length;
  EXPECT_EQ(read(body.substr(0, 22)).bytes, "foo");
}

}  // namespace
}  // namespace tollgate::routes::readers
