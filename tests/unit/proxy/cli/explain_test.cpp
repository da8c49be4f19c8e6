// The output of `tollgate check` and `tollgate explain`, word for word.
#include "proxy/cli/explain.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "proxy/cli/check.hpp"

namespace tollgate::proxy {
namespace {

constexpr const char* configuration = R"(upstreams:
  openai: { url: "https://api.openai.com" }
  platform: { url: "http://[::1]:9000/base" }
rates:
  gpt-4: { credits: 10, per: request }
  query: { credits: 1, per: query }
  stt: { credits: 3, per: minute, meter: request_audio, increment: 1s }
routes:
  - { name: chat, match: { method: POST, path: /v1/chat/completions, json: { model: "gpt-4*" } },
      upstream: openai, action: llm, rate: gpt-4, dialect: openai }
  - { name: search, match: { method: POST, path: /v1/search }, upstream: platform, action: query,
      rate: query, count: /queries, mode: shadow }
  - { name: agents, match: { path: "/v1/agents/{agent}/**" }, upstream: platform, action: api,
      rate: gpt-4, critical: true }
  - { name: only-here, match: { host: here.example, path: /h }, upstream: openai, action: api, rate: gpt-4 }
limits: { json: 1KiB }
)";

// A file with this text that exists as long as the test runs.
class file {
 public:
  explicit file(const std::string& text) {
    static int number = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("tollgate-cli-" + std::to_string(getpid()) + "-" + std::to_string(number++) + ".yaml");
    std::ofstream{path_} << text;
  }
  ~file() { std::filesystem::remove(path_); }
  file(const file&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

std::optional<std::string> no_variables(const std::string&) {
  return std::nullopt;
}

// Exit code and output; the path of the configuration is shown as FILE.
template <class Run>
std::string outcome(Run run, const std::string& path) {
  std::ostringstream out, err;
  const int code = run(out, err);
  std::string text = out.str() + (err.str().empty() ? "" : "stderr: " + err.str());
  for (auto at = text.find(path); at != text.npos; at = text.find(path)) {
    text.replace(at, path.size(), "FILE");
  }
  return text + "exit " + std::to_string(code);
}

std::string explain(explain_options options) {
  const file config{configuration};
  options.config = config.path();
  options.env = no_variables;
  return outcome([&](auto& out, auto& err) { return run_explain(options, out, err); },
                 config.path());
}

std::string check(const std::string& text) {
  const file config{text};
  const check_options options{config.path(), no_variables};
  return outcome([&](auto& out, auto& err) { return run_check(options, out, err); }, config.path());
}

explain_options asking(const std::string& url) {
  explain_options options;
  options.url = url;
  return options;
}

explain_options posting(const std::string& url, const std::string& body) {
  explain_options options = asking(url);
  options.data = {body};
  options.headers = {"content-type: application/json"};
  return options;
}

TEST(check, says_what_a_right_file_holds) {
  EXPECT_EQ(check(configuration), "FILE: ok: 4 routes, 3 rates, 2 upstreams, 0 plans\nexit 0");
}

TEST(check, says_everything_that_is_wrong) {
  EXPECT_EQ(check("upstreams: { a: { url: x } }\nrates: {}\nroutes: []\nzz: ${NOPE}\n"),
            "stderr: FILE:1:24: url: expected http:// or https:// and a host, found \"x\"\n"
            "FILE:3:9: routes: expected 1 to 1000 routes, found 0\n"
            "FILE:4:1: unknown key \"zz\"\nexit 1");
  check_options options{"/nowhere.yaml", no_variables};
  EXPECT_EQ(outcome([&](auto& out, auto& err) { return run_check(options, out, err); }, "\n\n"),
            "stderr: /nowhere.yaml: cannot be opened: No such file or directory\nexit 1");
}

TEST(explain, a_call_that_is_priced_by_its_body) {
  auto options = posting("https://tollgate:8080/v1/chat/completions?x=1", R"({"model":"gpt-4o"})");
  options.headers.emplace_back("X-Agent-Id: a1");
  options.headers.emplace_back("X-Conversation-Id:  c1 ");
  EXPECT_EQ(explain(options), R"(POST /v1/chat/completions?x=1
  route         chat  (FILE:9:5)
  action        llm
  model         gpt-4o
  rate          gpt-4: 10 credits per request
  estimate      10 credits
  critical      no: refused when the credits are used up
  mode          enforce
  upstream      openai
  forwarded to  https://api.openai.com/v1/chat/completions?x=1
  agent         a1
  conversation  c1
exit 0)");
}

TEST(explain, a_batch_in_shadow_mode_and_why_earlier_routes_did_not_match) {
  EXPECT_EQ(explain(posting("localhost:8080/v1/search", R"({"queries":["a","b"]})")),
            R"(POST /v1/search
  route         search  (FILE:11:5)
  action        query
  model         none
  rate          query: 1 credit per query
  estimate      2 credits
  critical      no: refused when the credits are used up
  mode          shadow: counted, never refused
  upstream      platform
  forwarded to  http://[::1]:9000/base/v1/search
  agent         none
  conversation  none

not matched:
  chat  path is /v1/search, not /v1/chat/completions
exit 0)");
}

TEST(explain, the_path_is_read_as_the_upstream_will_see_it) {
  EXPECT_EQ(explain(asking("/v1//agents/./%61gent-7/x?q")), R"(GET /v1//agents/./%61gent-7/x?q
  read as       /v1/agents/agent-7/x
  route         agents  (FILE:13:5)
  action        api
  model         none
  rate          gpt-4: 10 credits per request
  estimate      10 credits
  critical      yes: passes when the credits are used up
  mode          enforce
  upstream      platform
  forwarded to  http://[::1]:9000/base/v1/agents/agent-7/x?q
  agent         agent-7
  conversation  none

not matched:
  chat    method is GET, not POST
  search  method is GET, not POST
exit 0)");
}

TEST(explain, a_call_that_matches_nothing) {
  EXPECT_EQ(explain(posting("/v1/chat/completions", R"({"model":"gpt-5"})")),
            R"(POST /v1/chat/completions
  refused       404 no_route
  message       No route for POST /v1/chat/completions: model "gpt-5" matches no route.

not matched:
  chat       json /model is "gpt-5", not gpt-4*
  search     path is /v1/chat/completions, not /v1/search
  agents     path is /v1/chat/completions, not /v1/agents/{agent}/**
  only-here  host is empty, not here.example
exit 1)");
}

TEST(explain, a_call_that_cannot_be_read_with_certainty) {
  EXPECT_EQ(explain(asking("/v1/agents/%2F")), R"(GET /v1/agents/%2F
  refused       400 invalid_request
  message       The request is refused: an encoded slash (%2F) beside a slash, a dot segment or the path's end.
exit 1)");
}

TEST(explain, a_websocket_where_only_http_has_a_price) {
  auto options = asking("/v1/chat/completions");
  options.headers = {"Upgrade: websocket", "Connection: Upgrade"};
  const std::string found = explain(options);
  EXPECT_NE(found.find("  refused       426 upgrade_required\n"), std::string::npos) << found;
}

TEST(explain, a_body_that_is_too_large_to_be_read) {
  const std::string found = explain(posting("/v1/chat/completions", std::string(1025, ' ')));
  EXPECT_NE(found.find("  refused       413 body_too_large\n"), std::string::npos) << found;
}

TEST(explain, the_billing_api_is_answered_by_tollgate) {
  EXPECT_EQ(explain(asking("/v1/billing/balance")), R"(GET /v1/billing/balance
  answered      by Tollgate: the billing API is never forwarded or charged
exit 0)");
}

TEST(explain, assumptions_are_said) {
  auto options = asking("/v1/search");
  options.data = {"{}"};
  const std::string found = explain(options);
  EXPECT_NE(found.find("\nnote: -d without a content type: application/json is assumed\nexit 0"),
            std::string::npos)
      << found;
  options.data.clear();
  options.method = "POST";
  EXPECT_NE(explain(options).find("\nnote: the request has no body; -d adds one\n"),
            std::string::npos);
}

TEST(explain, json_for_programs) {
  auto options = posting("http://h/v1/search", R"({"queries":[1,2,3]})");
  options.json = true;
  EXPECT_EQ(
      explain(options),
      R"({"method":"POST","target":"/v1/search","path":"/v1/search","host":"h",)"
      R"("forwarded":true,"route":"search","action":"query","model":null,)"
      R"("rate":{"name":"query","credits":1,"per":"query"},"units":3,"estimate":3,)"
      R"("critical":false,"mode":"shadow","upstream":"platform",)"
      R"("url":"http://[::1]:9000/base/v1/search","agent":null,"conversation":null,)"
      R"("not_matched":[{"route":"chat","reason":"path is /v1/search, not /v1/chat/completions"}],)"
      R"("notes":[]})"
      "\nexit 0");
  options = asking("/none");
  options.method = "DELETE";
  options.json = true;
  const std::string refused = explain(options);
  EXPECT_EQ(
      refused.find(R"({"method":"DELETE","target":"/none","path":"/none","host":null,)"
                   R"("forwarded":false,"status":404,"error":{"code":"no_route","message":")"),
      0u)
      << refused;
}

TEST(explain, urls_are_taken_as_curl_takes_them) {
  const auto first_line = [](const std::string& url) {
    const std::string text = explain(asking(url));
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(first_line("/h"), "GET /h");
  EXPECT_EQ(first_line("here.example/h"), "GET /h");
  EXPECT_EQ(first_line("here.example"), "GET /");
  EXPECT_EQ(first_line("HTTPS://here.example:1/h?a#b"), "GET /h?a");
  EXPECT_EQ(first_line("http://here.example?a=b"), "GET /?a=b");
  EXPECT_NE(explain(asking("http://here.example:99/h")).find("route         only-here"),
            std::string::npos);
  auto other_host = asking("http://x/h");
  other_host.headers = {"Host: here.example"};
  EXPECT_NE(explain(other_host).find("route         only-here"), std::string::npos);
}

TEST(explain, arguments_that_make_no_request) {
  const auto message = [](explain_options options) { return explain(std::move(options)); };
  EXPECT_EQ(message(asking("ftp://x/")),
            "stderr: tollgate explain: the URL must be http:// or https://\nexit 2");
  EXPECT_EQ(message(asking("http:///x")),
            "stderr: tollgate explain: the URL names no host\nexit 2");
  EXPECT_EQ(message(asking("http://u:p@x/")),
            "stderr: tollgate explain: the URL has a user or a password\nexit 2");
  auto options = asking("/h");
  options.headers = {"no colon"};
  EXPECT_EQ(message(options),
            "stderr: tollgate explain: -H takes 'name: value', not \"no colon\"\nexit 2");
  options.headers.clear();
  options.data = {"@/nowhere"};
  EXPECT_EQ(message(options), "stderr: tollgate explain: cannot read /nowhere\nexit 2");
}

TEST(explain, bodies_come_from_files_and_are_joined) {
  const file part{R"({"model":"gpt-4")"};
  auto options = posting("/v1/chat/completions", "@" + part.path());
  EXPECT_NE(explain(options).find("400 invalid_request"), std::string::npos);
  const file whole{R"({"model":"gpt-4"})"};
  options.data = {"@" + whole.path()};
  EXPECT_NE(explain(options).find("model         gpt-4\n"), std::string::npos);
  options.data = {R"({"model":"gpt-4","x":")", "\"}"};  // joined by &
  EXPECT_NE(explain(options).find("model         gpt-4\n"), std::string::npos);
}

TEST(explain, a_wrong_configuration_is_a_usage_error) {
  explain_options options = asking("/h");
  options.config = "/nowhere.yaml";
  std::ostringstream out, err;
  EXPECT_EQ(run_explain(options, out, err), 2);
  EXPECT_EQ(err.str(), "/nowhere.yaml: cannot be opened: No such file or directory\n");
}

}  // namespace
}  // namespace tollgate::proxy
