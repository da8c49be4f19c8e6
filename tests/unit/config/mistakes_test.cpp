// Every key of the configuration, with every kind of mistake: another type, nothing, out of range,
// misspelt, twice, in the wrong place. Each is answered, and the answer can be acted on. To read
// all messages: TOLLGATE_SHOW_MESSAGES=1 unit_config --gtest_filter='mistakes.*'
#include <cstdlib>
#include <iostream>
#include <set>

#include <gmock/gmock.h>

#include "tests/unit/config/shipped_text.hpp"
#include "tests/unit/config/support.hpp"

namespace tollgate::config {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out{""};
  for (const char c : text) {
    if (c == at) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

std::vector<std::string> all_keys() {
  std::vector<std::string> out;
  for (const auto& [key, is_there] : keys_of(test::uncommented(), test::table({})))
    out.push_back(key);
  return out;
}

// A file in which this key, "routes.match.method", has this value. The sections that are required
// and not meant are as in `least`.
std::string file_with(const std::string& key, const std::string& last, const std::string& value) {
  const auto path = split(key, '.');
  std::string line = path.front() == "routes" && path.size() > 1 ? "routes: [" : "";
  std::string ends = path.front() == "routes" && path.size() > 1 ? "]" : "";
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (i == 0 && !ends.empty()) {
      line += "{ ";
      ends = " }" + ends;
      continue;
    }
    const bool is_last = i + 1 == path.size();
    line += (is_last ? last : path[i] == "NAME" ? "main" : path[i]) + ": ";
    if (is_last) {
      line += value;
    } else {
      line += "{ ";
      ends = " }" + ends;
    }
  }
  std::string out;
  for (const auto& each : split(test::least, '\n')) {
    const auto section = each.substr(0, each.find(':'));
    if (section != path.front() && !(path.front() == "routes" && each.starts_with("  -")))
      out += each + "\n";
  }
  return out + line + ends + "\n";
}

std::string file_with(const std::string& key, const std::string& value) {
  return file_with(key, split(key, '.').back() == "NAME" ? "main" : split(key, '.').back(), value);
}

// One line each, with a position and a sentence that does not end in the middle.
void expect_readable(const std::string& verdict, const std::string& text) {
  static const bool show = std::getenv("TOLLGATE_SHOW_MESSAGES") != nullptr;
  static std::set<std::string> shown;
  for (const auto& message : split(verdict, '\n')) {
    EXPECT_THAT(message, MatchesRegex("[0-9]+:[0-9]+: [^\t]+[^ :,;.]")) << text;
    if (message.find("out of range") != message.npos) {
      EXPECT_THAT(message, HasSubstr(" to ")) << text;
    }
    const auto sentence = message.substr(message.find(": ") + 2);
    if (show && shown.insert(sentence).second) std::cout << sentence << '\n';
  }
}

TEST(mistakes, another_type) {
  for (const auto& key : all_keys()) {
    for (const char* value : {"{ zz: 1 }", "[[a]]", "[{ a: b }]"}) {
      const auto text = file_with(key, value);
      const auto said = test::verdict(text);
      // Names of headers and members are free, and so are the names of sections.
      const bool free = value[0] == '{' && (key.ends_with(".headers") || key.ends_with(".query") ||
                                            key.ends_with(".json"));
      if (!free) {
        EXPECT_NE(said, "ok") << text;
      }
      if (said != "ok") expect_readable(said, text);
    }
  }
}

TEST(mistakes, values_that_no_key_has) {
  for (const auto& key : all_keys()) {
    for (const char* value :
         {"", "~", "\"\"", "-1", "99999999999999999999", "zzz zzz", "1e9", "0x10", "\"a\\tb\""}) {
      const auto text = file_with(key, value);
      const auto said = test::verdict(text);
      if (said != "ok") expect_readable(said, text);
      if (said.find("unknown key") == said.npos) continue;
      ADD_FAILURE() << text << said;
    }
  }
}

TEST(mistakes, a_misspelt_key_is_named_with_the_nearest_one) {
  for (const auto& key : all_keys()) {
    const auto last = split(key, '.').back();
    const bool not_yet = last == "jwt" || last == "trusted_header";
    if (last == "NAME" || last.size() < 3 || not_yet) continue;
    auto wrong = last;
    std::swap(wrong[wrong.size() - 1], wrong[wrong.size() - 2]);
    if (wrong == last) wrong += "x";
    const auto text = file_with(key, wrong, "1");
    const auto said = test::verdict(text);
    EXPECT_THAT(said, HasSubstr("unknown key \"" + wrong + "\"; did you mean \"")) << text;
    expect_readable(said, text);
  }
}

TEST(mistakes, a_key_that_is_there_twice) {
  for (const auto& key : all_keys()) {
    const auto path = split(key, '.');
    if (path.back() == "NAME") continue;
    const auto text =
        file_with(key, path.back(),
                  path.size() == 1 ? "1\n" + path.back() + ": 1" : "1, " + path.back() + ": 1");
    EXPECT_THAT(test::verdict(text),
                HasSubstr("duplicate key \"" + path.back() + "\"; it is set at "))
        << text;
  }
}

TEST(mistakes, a_key_in_the_wrong_place) {
  std::set<std::string> top;
  const auto keys = all_keys();
  for (const auto& key : keys) {
    if (key.find('.') == key.npos) top.insert(key);
  }
  for (const auto& key : keys) {
    const auto last = split(key, '.').back();
    if (last == "NAME" || top.contains(last)) continue;
    EXPECT_THAT(test::verdict(test::least + last + ": 1"),
                HasSubstr("unknown key \"" + last + "\""))
        << key;
  }
  for (const auto& key : top) {
    EXPECT_THAT(test::verdict(test::least + "holds: { " + key + ": 1 }"),
                HasSubstr("holds: unknown key \"" + key + "\"; "))
        << key;
  }
}

TEST(mistakes, names_of_other_programs) {
  const std::pair<const char*, const char*> names[]{
      {"logging", "log"},      {"log_level", "log"},      {"redis", "store"},
      {"server", "listen"},    {"upstream", "upstreams"}, {"ssl", "tls"},
      {"timeout", "timeouts"}, {"workers", "threads"}};
  for (const auto& [wrong, meant] : names) {
    for (const char* value : {"", " {}", " 1"}) {
      EXPECT_EQ(test::verdict(test::least + wrong + ":" + value),
                std::string{"5:1: unknown key \""} + wrong + "\"; did you mean \"" + meant + "\"?");
    }
  }
  EXPECT_EQ(test::verdict(test::least + "log: { zzz: 1 }"),
            "5:8: log: unknown key \"zzz\"; the keys here are access, level");
}

TEST(mistakes, of_yaml_itself) {
  const std::pair<const char*, const char*> mistakes[]{
      {"log:\n\tlevel: info\n", "6:1: a tab; YAML is indented with spaces"},
      {"log:\n  level: info\n \taccess: off\n", "7:2: a tab; YAML is indented with spaces"},
      {"log: { level: info\nthreads: 1\n", "5:6: this \"{\" is never closed"},
      {"plans: { p: { credits: 1 }\nthreads: 1\n", "5:8: this \"{\" is never closed"},
      {"payments: { stripe: { secret_key: k, webhook_secret: [a, b } }\n",
       "5:54: this \"[\" is never closed"},
      {"log: { level: info }  # {\nx: [ 'a[', \"b{\", c\n", "6:4: this \"[\" is never closed"},
  };
  for (const auto& [yaml, expected] : mistakes)
    EXPECT_EQ(test::verdict(test::least + yaml), expected) << yaml;
}

// --- what is valid, and probably a mistake
// ----------------------------------------------------------

std::vector<std::string> warnings(const std::string& text) {
  const auto loaded = load_text(text, "t.yaml", test::table({}));
  std::vector<std::string> out;
  if (const auto* fine = std::get_if<configuration>(&loaded)) {
    for (const auto& warning : fine->warnings) out.push_back(warning_text(warning).substr(7));
  } else {
    ADD_FAILURE() << "not valid:\n" << text << test::verdict(text);
  }
  return out;
}

std::vector<std::string> of_match(const std::string& match,
                                  const std::string& url = "http://127.0.0.1:9000") {
  return warnings("upstreams: { main: { url: \"" + url +
                  "\" } }\n"
                  "rates: { api: { credits: 0.1, per: request } }\n"
                  "routes: [{ name: all, match: { " +
                  match + " }, upstream: main, action: api, rate: api }]\n");
}

using said = std::vector<std::string>;

TEST(warnings, of_methods_and_paths_of_other_programs) {
  EXPECT_EQ(of_match("method: PSOT"), said{"3:40: warning: method: \"PSOT\" is no registered "
                                           "method of HTTP; did you mean \"POST\"?"});
  EXPECT_EQ(of_match("method: [GET, PURGE, PROPFIND]"), said{});
  EXPECT_EQ(of_match("path: \"/v1/things/:id\""),
            said{"3:38: warning: path: \":id\" is taken literally; any text in its place is "
                 "written {id}"});
  EXPECT_EQ(of_match("path: \"/v1/.*\""), said{"3:38: warning: path: \".*\" is taken literally; "
                                               "any text in its place is written * or **"});
  EXPECT_EQ(of_match("path: \"/v1/models/{model}/x:generate\""), said{});
  EXPECT_EQ(of_match("path: \"/v1/models/*:generateContent\""), said{});
}

TEST(warnings, of_base_urls_that_repeat_the_path) {
  EXPECT_EQ(of_match("path: /v1/chat/completions", "https://api.openai.com/v1"),
            said{"1:27: warning: upstreams.main.url: route all would ask for "
                 "/v1/v1/chat/completions; a request keeps "
                 "its path, so the URL should probably end behind the host"});
  EXPECT_EQ(of_match("path: \"/v1/**\"", "https://x.example/openai/v1"),
            said{"1:27: warning: upstreams.main.url: route all would ask for /openai/v1/v1/**; a "
                 "request keeps its "
                 "path, so the URL should probably end in /openai"});
  EXPECT_EQ(of_match("path: /v1", "https://x.example/v1").size(), 1U);
  EXPECT_EQ(of_match("path: /v1beta/x", "https://x.example/v1"), said{});
  EXPECT_EQ(of_match("path: /chat", "https://x.example/v1"), said{});
  EXPECT_EQ(of_match("path: /v1/x", "https://x.example"), said{});
  EXPECT_EQ(of_match("", "https://x.example/v1"), said{});
}

TEST(warnings, of_the_admin_listener) {
  const auto admin = [](const std::string& text) {
    return warnings(test::least + "admin: " + text);
  };
  EXPECT_EQ(admin("{ token: x }"), said{"5:17: warning: admin: the token has fewer than 16 "
                                        "characters and can be guessed; to make one: openssl "
                                        "rand -hex 16"});
  EXPECT_EQ(admin("{ listen: \"0.0.0.0:8081\", token: short }"),
            said{"5:41: warning: admin: the token has fewer than 16 characters and can be guessed, "
                 "and 0.0.0.0 can be "
                 "reached from outside; to make one: openssl rand -hex 16"});
  EXPECT_EQ(admin("{ listen: \"0.0.0.0:8081\" }"),
            said{"5:8: warning: admin: without a token the admin API refuses every call, and "
                 "0.0.0.0 can be reached from "
                 "outside"});
  EXPECT_EQ(admin("{ listen: \"0.0.0.0:8081\", token: 0123456789abcdef }"), said{});
  EXPECT_EQ(admin("{ token: \"\" }"), said{});
  EXPECT_EQ(warnings(test::least), said{});
}

TEST(warnings, of_an_upstream_that_is_this_tollgate) {
  EXPECT_EQ(of_match("path: /x", "http://localhost:8080"),
            said{"1:20: warning: upstreams.main.url: this is the address of listen"});
  EXPECT_EQ(of_match("path: /x", "http://127.0.0.1:8081"),
            said{"1:20: warning: upstreams.main.url: this is the address of admin.listen"});
}

}  // namespace
}  // namespace tollgate::config
