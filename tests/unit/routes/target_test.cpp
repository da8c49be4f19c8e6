#include <random>

#include <gtest/gtest.h>

#include "routes/normal_path.hpp"
#include "tests/unit/routes/support.hpp"

namespace tollgate::routes {
namespace {

std::string normal(std::string_view path) {
  const auto out = normalise_path(path);
  const auto* text = std::get_if<std::string>(&out);
  return text != nullptr ? *text : "refused";
}

struct path_case {
  std::string in, out;
};

class normalised_path : public testing::TestWithParam<path_case> {};

TEST_P(normalised_path, has_one_form) {
  EXPECT_EQ(normal(GetParam().in), GetParam().out);
}

INSTANTIATE_TEST_SUITE_P(
    forms, normalised_path,
    testing::Values(
        path_case{"/", "/"}, path_case{"/v1/chat/completions", "/v1/chat/completions"},
        path_case{"/v1/models/", "/v1/models/"},
        // percent-encoding: unreserved plain, the rest in capitals
        path_case{"/v1/%63hat", "/v1/chat"}, path_case{"/%76%31", "/v1"},
        path_case{"/%7Euser", "/~user"}, path_case{"/a%2db%5fc%2Ed", "/a-b_c.d"},
        path_case{"/a%3ab", "/a%3Ab"}, path_case{"/a:b", "/a:b"}, path_case{"/a%20b", "/a%20b"},
        path_case{"/caf%c3%a9", "/caf%C3%A9"}, path_case{"/a%2bb", "/a%2Bb"},
        path_case{"/a+b", "/a+b"}, path_case{"/a%25", "/a%25"}, path_case{"/100%25/x", "/100%25/x"},
        path_case{"/a|b[c]", "/a%7Cb%5Bc%5D"}, path_case{"/{x}\"<>^`", "/%7Bx%7D%22%3C%3E%5E%60"},
        path_case{"/!$&'()*,=@", "/!$&'()*,=@"},
        // slashes
        path_case{"//", "/"}, path_case{"//v1//chat///completions", "/v1/chat/completions"},
        path_case{"/v1//", "/v1/"}, path_case{"///", "/"},
        // dot segments, also encoded ones
        path_case{"/./a/./b", "/a/b"}, path_case{"/a/..", "/"}, path_case{"/a/../b", "/b"},
        path_case{"/a/b/..", "/a/"}, path_case{"/a/b/../", "/a/"}, path_case{"/a/.", "/a/"},
        path_case{"/a/%2e%2E/b", "/b"}, path_case{"/a/.%2e/b", "/b"}, path_case{"/%2e/a", "/a"},
        path_case{"/a//../b", "/b"}, path_case{"/a/b/c/../../d", "/a/d"}, path_case{"/...", "/..."},
        path_case{"/.a/..b/c..", "/.a/..b/c.."}, path_case{"/a/./", "/a/"},
        path_case{"/v1/models/../chat/completions", "/v1/chat/completions"},
        path_case{"/v1/agents/%2e%2e/chat/completions", "/v1/chat/completions"}));

INSTANTIATE_TEST_SUITE_P(
    refusals, normalised_path,
    testing::Values(path_case{"", "refused"}, path_case{"v1", "refused"}, path_case{"*", "refused"},
                    // characters that one server reads as a separator and another does not
                    path_case{"/a%2Fb", "refused"}, path_case{"/a%2fb", "refused"},  // see below
                    path_case{"/a\\b", "refused"}, path_case{"/a%5Cb", "refused"},
                    path_case{"/a%5cb", "refused"}, path_case{"/a;b", "refused"},
                    path_case{"/..;/a", "refused"}, path_case{"/a%3Bb", "refused"},
                    path_case{"/a;", "refused"},
                    // controls, blanks, bytes beyond ASCII
                    path_case{"/a%00", "refused"}, path_case{"/%0d%0ax", "refused"},
                    path_case{"/%1f", "refused"}, path_case{"/%7f", "refused"},
                    path_case{"/a b", "refused"}, path_case{"/a\tb", "refused"},
                    path_case{std::string{"/a\0b", 4}, "refused"}, path_case{"/a\x7f", "refused"},
                    path_case{"/caf\xC3\xA9", "refused"}, path_case{"/\xFF", "refused"},
                    // percent-encoding that is broken, doubled, overlong or not UTF-8
                    path_case{"/%", "refused"}, path_case{"/%4", "refused"},
                    path_case{"/%zz", "refused"}, path_case{"/a%2", "refused"},
                    path_case{"/%%41", "refused"}, path_case{"/%u0041", "refused"},
                    path_case{"/%2541", "refused"}, path_case{"/%252f", "refused"},
                    path_case{"/%252e%252e/a", "refused"}, path_case{"/%25%34%31", "refused"},
                    path_case{"/%c0%af", "refused"}, path_case{"/%c0%ae%c0%ae/a", "refused"},
                    path_case{"/%e0%80%af", "refused"}, path_case{"/%ff", "refused"},
                    path_case{"/%c3", "refused"}, path_case{"/%ed%a0%80", "refused"},
                    path_case{"/%f5%80%80%80", "refused"},
                    // above the root
                    path_case{"/..", "refused"}, path_case{"/../a", "refused"},
                    path_case{"/a/../..", "refused"}, path_case{"//..", "refused"},
                    path_case{"/%2e%2e", "refused"}, path_case{"/./../a", "refused"}));

TEST(normalise_path, keeps_encoded_slashes_where_they_have_two_readings_only) {
  const auto kept = [](std::string_view path) {
    const auto out = normalise_path(path, encoded_slashes::kept);
    const auto* text = std::get_if<std::string>(&out);
    return text == nullptr ? "refused" : *text;
  };
  EXPECT_EQ(kept("/a%2Fb"), "/a%2Fb");
  EXPECT_EQ(kept("/a%2fb/c"), "/a%2Fb/c");
  EXPECT_EQ(kept("/x/../meta%2DLlama%2Fb%2fc/"), "/meta-Llama%2Fb%2Fc/");
  EXPECT_EQ(kept("/a%2F.b%2F..c"), "/a%2F.b%2F..c");
  EXPECT_EQ(with_slashes_decoded("/a%2Fb/%3Fc%2Fd"), "/a/b/%3Fc/d");
  // Where decoding leaves something that servers resolve or join, or would decode again.
  for (const auto* path :
       {"/a%2F",      "/%2Fa",           "/%2F",        "/a/%2Fb",     "/a%2F/b",
        "/a%2F%2Fb",  "/a%2F..",         "/..%2Fa",     "/a%2F..%2Fb", "/a%2F.",
        "/.%2Fa",     "/a%2F%2e%2e%2Fb", "/%2e%2e%2Fa", "/a%2F%2E/b",  "/a%252Fb",
        "/a%2F%252e", "/a%5Cb%2Fc",      "/a%2F;b",     "/a%2F%00",    "/a%C0%AF%2Fb"})
    EXPECT_EQ(kept(path), "refused") << path;
}

TEST(normalise_path, twice_is_once) {
  std::mt19937 random{20240131};
  const std::vector<std::string> pieces{"/",   "/",   "//",  ".",   "..",     "a",   "Z",
                                        "%41", "%2e", "%25", "%3a", "%C3%A9", "%7E", "{",
                                        "|",   "+",   ":",   "%20", "~",      "v1",  "4"};
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string path = "/";
    for (auto n = random() % 12; n > 0; --n) path += pieces[random() % pieces.size()];
    const auto once = normal(path);
    if (once == "refused") continue;
    ++accepted;
    ASSERT_EQ(normal(once), once) << path;
    ASSERT_TRUE(once.starts_with('/')) << path;
    ASSERT_EQ(once.find("//"), once.npos) << path;
    ASSERT_EQ((once + "/").find("/../"), once.npos) << path;
    ASSERT_EQ((once + "/").find("/./"), once.npos) << path;
  }
  EXPECT_GT(accepted, 5'000);
}

struct target_case {
  std::string method, target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string out;  // "host|path|query", or "refused"
};

class target : public testing::TestWithParam<target_case> {};

TEST_P(target, is_read) {
  const auto& [method, text, headers, out] = GetParam();
  const head request{method, text, headers};
  const auto read = read_target(request.view());
  if (const auto* refused = std::get_if<problem>(&read)) {
    EXPECT_EQ("refused", out) << refused->message;
    EXPECT_EQ(refused->code, problem_code::invalid_request);
    EXPECT_FALSE(refused->message.empty());
    return;
  }
  const auto& clean = std::get<clean_target>(read);
  EXPECT_EQ(clean.host + "|" + clean.path + "|" + clean.query, out);
}

INSTANTIATE_TEST_SUITE_P(
    origin_form, target,
    testing::Values(target_case{"GET",
                                "/v1/models",
                                {{"Host", "api.example.com"}},
                                "api.example.com|/v1/models|"},
                    target_case{"GET", "/a?b=c", {{"host", "H"}}, "h|/a|b=c"},
                    target_case{"GET", "/a?", {{"host", "h"}}, "h|/a|"},
                    target_case{"GET", "/a?b?c", {{"host", "h"}}, "h|/a|b?c"},
                    target_case{"GET", "/a?x=..%2f%zz\\", {{"host", "h"}}, "h|/a|x=..%2f%zz\\"},
                    target_case{"GET", "/a", {}, "|/a|"},
                    target_case{"GET", "//evil.example/a", {{"host", "h"}}, "h|/evil.example/a|"},
                    target_case{"GET", "/a", {{"HOST", "Example.COM:8080"}}, "example.com|/a|"},
                    target_case{"GET", "/a", {{"host", "example.com."}}, "example.com|/a|"},
                    target_case{"GET", "/a", {{"host", "[::1]:80"}}, "[::1]|/a|"},
                    target_case{"GET", "/a", {{"host", "127.0.0.1:"}}, "127.0.0.1|/a|"},
                    target_case{"M-SEARCH", "/a", {{"host", "h"}}, "h|/a|"},
                    target_case{"GET", "/a#b", {{"host", "h"}}, "refused"},
                    target_case{"GET", "/a?b#c", {{"host", "h"}}, "refused"},
                    target_case{"GET", "", {{"host", "h"}}, "refused"},
                    target_case{"GET", "?a", {{"host", "h"}}, "refused"},
                    target_case{"GET", "a", {{"host", "h"}}, "refused"},
                    target_case{"GET", "/a?b c", {{"host", "h"}}, "refused"},
                    target_case{"GET", "/a?b\xC3\xA9", {{"host", "h"}}, "refused"},
                    target_case{"GET", "/a?\x01", {{"host", "h"}}, "refused"},
                    target_case{"get", "/a", {{"host", "h"}}, "refused"},
                    target_case{"Post", "/a", {{"host", "h"}}, "refused"},
                    target_case{"", "/a", {{"host", "h"}}, "refused"},
                    target_case{"G T", "/a", {{"host", "h"}}, "refused"},
                    target_case{"GET", "/a", {{"host", "h"}, {"Host", "h"}}, "refused"},
                    target_case{"GET", "/a", {{"host", "u@h"}}, "refused"},
                    target_case{"GET", "/a", {{"host", "h/x"}}, "refused"},
                    target_case{"GET", "/a", {{"host", "h:x"}}, "refused"},
                    target_case{"GET", "/a", {{"host", ":80"}}, "refused"},
                    target_case{"GET", "/a", {{"host", "h h"}}, "refused"},
                    target_case{"GET", "/a", {{"host", "[::1"}}, "refused"},
                    target_case{"GET", "/a", {{"host", "[::1]x"}}, "refused"},
                    target_case{"GET", "/a", {{"host", "a[b]"}}, "refused"},
                    target_case{"GET", "/a", {{"host", "a,b"}}, "refused"}));

INSTANTIATE_TEST_SUITE_P(
    other_forms, target,
    testing::Values(target_case{"GET", "http://h/a?b", {{"Host", "h"}}, "h|/a|b"},
                    target_case{"GET", "HTTPS://H:443/a", {{"host", "h"}}, "h|/a|"},
                    target_case{"GET", "http://h:80/a", {{"host", "h"}}, "h|/a|"},
                    target_case{"GET", "http://h", {{"host", "h"}}, "h|/|"},
                    target_case{"GET", "http://h?x=1", {{"host", "h"}}, "h|/|x=1"},
                    target_case{"GET", "http://h/a", {}, "h|/a|"},
                    target_case{
                        "GET", "http://[::1]:8080/a", {{"host", "[::1]:8080"}}, "[::1]|/a|"},
                    target_case{"GET", "http://h/%2e%2e", {{"host", "h"}}, "refused"},
                    target_case{"GET", "http://h/a", {{"host", "other"}}, "refused"},
                    target_case{"GET", "http://h:81/a", {{"host", "h"}}, "refused"},
                    target_case{"GET", "http://u@h/a", {{"host", "h"}}, "refused"},
                    target_case{"GET", "http:///a", {{"host", "h"}}, "refused"},
                    target_case{"GET", "ftp://h/a", {{"host", "h"}}, "refused"},
                    target_case{"GET", "http:/a", {{"host", "h"}}, "refused"},
                    target_case{"GET", "://h/a", {{"host", "h"}}, "refused"},
                    target_case{"CONNECT", "h:443", {{"host", "h"}}, "refused"},
                    target_case{"CONNECT", "/a", {{"host", "h"}}, "refused"},
                    target_case{"TRACE", "/a", {{"host", "h"}}, "refused"},
                    target_case{"OPTIONS", "*", {{"host", "h"}}, "h|*|"},
                    target_case{"GET", "*", {{"host", "h"}}, "refused"},
                    target_case{"OPTIONS", "*/", {{"host", "h"}}, "refused"},
                    target_case{"OPTIONS", "*?a", {{"host", "h"}}, "refused"}));

TEST(percent_encoding, is_decoded_and_judged) {
  EXPECT_EQ(percent_decode("a%20b%C3%A9"), "a b\xC3\xA9");
  EXPECT_FALSE(has_broken_encoding("%41%5a"));
  for (const auto* text : {"%", "%1", "a%g0", "%0g", "%41%"})
    EXPECT_TRUE(has_broken_encoding(text));
}

TEST(request_view, finds_headers_by_name) {
  const head request{"GET", "/", {{"Accept", "a"}, {"X-A", "1"}, {"x-a", "2"}}};
  EXPECT_EQ(request.view().header("ACCEPT"), "a");
  EXPECT_EQ(request.view().header("x-A"), "1");
  EXPECT_EQ(request.view().header("x_a"), "");
  EXPECT_EQ(request.view().count("X-a"), 2u);
  EXPECT_EQ(request.view().count("none"), 0u);
}

}  // namespace
}  // namespace tollgate::routes
