// Login and logout as a conversation, and the files sent to a browser.
#include "proxy/admin/dashboard/dashboard.hpp"

#include <map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>

#include "proxy/admin/dashboard/assets.hpp"
#include "proxy/admin/dashboard/files.hpp"
#include "tests/unit/proxy/admin/api_test.hpp"

namespace tollgate::proxy::dashboard {
namespace {

using admin::api_response;
using admin::at;
using testing::HasSubstr;

class dashboard_test : public admin::api_test {
 protected:
  api_response session(std::string method, std::string body = {}) {
    admin::api_request request;
    request.method = std::move(method);
    request.path = dashboard::session_path;
    request.content_type = "application/json";
    request.body = std::move(body);
    request.request_id = "r1";
    const auto response = tests::run_task(dashboard_.handle_session(request, browser_));
    for (const auto& [name, value] : response.headers) {
      if (name == "Set-Cookie") browser_.cookie = value.substr(0, value.find(';'));
    }
    return response;
  }
  api_response log_in(const std::string& secret) {
    return session("POST", R"({"secret":")" + secret + R"("})");
  }
  std::string refused(std::string path, std::string method = "GET") {
    const auto error =
        tests::run_task(dashboard_.authorize(browser_, std::move(method), "/admin/v1/" + path));
    return error ? error->code : "";
  }
  std::string new_key(const std::string& org) {
    return at(call("POST", "orgs/" + org + "/keys"), "data/key");
  }

  task<> paused(std::chrono::milliseconds time) {
    pauses_ += time;
    co_return;
  }

  steady_time now_{std::chrono::hours{100}};
  std::chrono::milliseconds pauses_{};
  browser_fields browser_{.cookie = {},
                          .csrf = {},
                          .origin = "http://localhost:8081",
                          .fetch_site = "same-origin",
                          .host = "localhost:8081"};
  dashboard dashboard_{{.directory = store_,
                        .admin_token = [this] { return configuration_->values.admin.token; },
                        .now = [this] { return now_; },
                        .pause = [this](auto time) { return paused(time); }}};
};

TEST_F(dashboard_test, logs_an_administrator_in_and_out) {
  EXPECT_EQ(at(session("GET"), "data/role"), "null");
  EXPECT_EQ(refused("orgs"), "session_over");
  const auto entered = log_in("correct horse");
  EXPECT_EQ(entered.status, 201);
  EXPECT_EQ(at(entered, "data/role"), "admin");
  EXPECT_EQ(at(entered, "data/seconds_left"), "43200");
  browser_.csrf = at(entered, "data/csrf");
  EXPECT_EQ(at(session("GET"), "data/csrf"), browser_.csrf) << "after a reload too";
  EXPECT_EQ(refused("orgs"), "");
  EXPECT_EQ(refused("orgs/acme", "PUT"), "");
  browser_.csrf.clear();
  EXPECT_EQ(refused("orgs/acme", "PUT"), "csrf_token_missing");
  const auto cookie = browser_.cookie;
  EXPECT_EQ(session("DELETE").status, 200);
  browser_.cookie = cookie;
  EXPECT_EQ(refused("orgs"), "session_over") << "the cookie alone is worth nothing any more";
}

TEST_F(dashboard_test, an_open_stream_keeps_nobody_logged_in) {
  log_in("correct horse");
  const auto watched = [this] {
    const auto error = tests::run_task(
        dashboard_.authorize(browser_, "GET", "/admin/v1/orgs/acme/events", session_use::watch));
    return error ? error->code : "";
  };
  now_ += std::chrono::minutes{59};
  EXPECT_EQ(watched(), "");
  now_ += std::chrono::minutes{1};
  EXPECT_EQ(watched(), "session_over");
  log_in("correct horse");
  now_ += std::chrono::minutes{59};
  EXPECT_EQ(refused("orgs"), "") << "a call starts another hour";
  now_ += std::chrono::minutes{1};
  EXPECT_EQ(watched(), "");
}

TEST_F(dashboard_test, sets_cookies_that_go_nowhere_else) {
  std::vector<std::string> cookies;
  for (const auto& [name, value] : log_in("correct horse").headers) {
    if (name == "Set-Cookie") cookies.push_back(value);
  }
  ASSERT_EQ(cookies.size(), 2u);
  EXPECT_THAT(cookies[0], HasSubstr("; Path=/admin/v1; Max-Age=43200; HttpOnly; SameSite=Strict"));
  EXPECT_THAT(cookies[1], HasSubstr("; Path=/dashboard/session;"));
  EXPECT_THAT(cookies[0], Not(HasSubstr("Secure"))) << "plain HTTP would not bring it back";
  browser_.origin = "https://localhost:8081";
  EXPECT_THAT(log_in("correct horse").headers.front().second, HasSubstr("; Secure"));
}

TEST_F(dashboard_test, a_new_token_ends_the_sessions_of_the_old_one) {
  log_in("correct horse");
  configuration_->values.admin.token = "another";
  EXPECT_EQ(refused("orgs"), "session_over");
  configuration_->values.admin.token = "correct horse";
  EXPECT_EQ(refused("orgs"), "session_over") << "for good";
}

TEST_F(dashboard_test, no_token_means_no_administrator) {
  configuration_->values.admin.token.clear();
  EXPECT_EQ(log_in("correct horse").status, 401);
  EXPECT_EQ(log_in("").status, 400);
}

TEST_F(dashboard_test, a_customer_reads_its_own_until_its_key_is_revoked) {
  create("acme");
  create("evil");
  const auto made = call("POST", "orgs/acme/keys");
  const auto entered = log_in(at(made, "data/key"));
  EXPECT_EQ(at(entered, "data/role"), "customer");
  EXPECT_EQ(at(entered, "data/org"), "acme");
  EXPECT_EQ(refused("orgs/acme/balance"), "");
  EXPECT_EQ(refused("orgs/evil/balance"), "not_yours");
  EXPECT_EQ(refused("orgs"), "not_yours");
  EXPECT_EQ(refused("orgs/acme/top_ups", "POST"), "not_yours");
  call("DELETE", "orgs/acme/keys/" + at(made, "data/id"));
  EXPECT_EQ(refused("orgs/acme/balance"), "session_over");
}

TEST_F(dashboard_test, failures_take_their_time) {
  EXPECT_EQ(at(log_in("wrong"), "error/code"), "invalid_credentials");
  EXPECT_EQ(pauses_, dashboard::failure_pause);
  log_in("correct horse");
  EXPECT_EQ(pauses_, dashboard::failure_pause) << "success does not";
}

// The pause of each failed login lasts until `release` is called.
class held_logins : public dashboard_test {
 protected:
  void fail_from(const std::string& address) {
    browser_.address = address;
    auto trying = [this, browser = browser_]() -> task<> {
      admin::api_request request;
      request.method = "POST";
      request.path = dashboard::session_path;
      request.content_type = "application/json";
      request.body = R"({"secret":"wrong"})";
      const auto response = co_await held_.handle_session(std::move(request), browser);
      ++answers_[response.status];
    };
    asio::co_spawn(context_, std::move(trying), asio::detached);
    context_.poll();
    context_.restart();
  }
  void release() {
    pause_.cancel();
    context_.run();
    context_.restart();
  }
  api_response log_in_held(const std::string& secret) {
    admin::api_request request;
    request.method = "POST";
    request.path = dashboard::session_path;
    request.content_type = "application/json";
    request.body = R"({"secret":")" + secret + R"("})";
    return tests::run_task(held_.handle_session(std::move(request), browser_));
  }

  asio::io_context context_;
  asio::steady_timer pause_{context_, asio::steady_timer::time_point::max()};
  std::map<int, int> answers_;  // by status
  dashboard held_{{.directory = store_,
                   .admin_token = [this] { return configuration_->values.admin.token; },
                   .now = [this] { return now_; },
                   .pause = [this](auto) -> task<> {
                     error_code ec;
                     co_await pause_.async_wait(asio::redirect_error(use_task, ec));
                   }}};
};

TEST_F(held_logins, do_not_lock_out_who_knows_the_token) {
  for (int i = 0; i < 40; ++i) fail_from("192.0.2." + std::to_string(i));
  EXPECT_EQ(answers_[429], 40 - static_cast<int>(dashboard::max_failing));
  EXPECT_EQ(log_in_held("correct horse").status, 201);
  create("acme");
  EXPECT_EQ(log_in_held(new_key("acme")).status, 201);
  release();
  EXPECT_EQ(answers_[401], static_cast<int>(dashboard::max_failing));
}

TEST_F(held_logins, are_counted_by_address) {
  for (int i = 0; i < 10; ++i) fail_from("192.0.2.1");
  EXPECT_EQ(answers_[429], 10 - static_cast<int>(dashboard::max_failing_of_an_address));
  fail_from("192.0.2.2");
  EXPECT_EQ(answers_[429], 10 - static_cast<int>(dashboard::max_failing_of_an_address));
  release();
  EXPECT_EQ(answers_[401], 1 + static_cast<int>(dashboard::max_failing_of_an_address));
  fail_from("192.0.2.1");
  release();
  EXPECT_EQ(answers_[401], 2 + static_cast<int>(dashboard::max_failing_of_an_address));
}

TEST_F(dashboard_test, only_its_own_page_logs_in) {
  browser_.fetch_site = "cross-site";
  EXPECT_EQ(at(log_in("correct horse"), "error/code"), "cross_site");
  EXPECT_EQ(session("DELETE").status, 403);
  EXPECT_EQ(session("PATCH").status, 405);
}

TEST_F(dashboard_test, another_login_ends_the_session_before) {
  log_in("correct horse");
  const auto before = browser_;
  create("acme");
  log_in(new_key("acme"));
  browser_ = before;
  EXPECT_EQ(refused("orgs"), "session_over");
}

TEST(dashboard_files_test, the_page_names_files_that_are_there) {
  const auto page = file_response("/", "");
  ASSERT_TRUE(page);
  EXPECT_EQ(admin::header(*page, "Cache-Control"), "no-cache");
  EXPECT_THAT(page->body, HasSubstr(base_path() + "app.js"));
  EXPECT_THAT(page->body, Not(HasSubstr("{{")));
  for (const auto& file : assets()) {
    const auto response = file_response(base_path() + std::string{file.name}, "");
    ASSERT_TRUE(response) << file.name;
    EXPECT_FALSE(response->body.empty()) << file.name;
    EXPECT_EQ(admin::header(*response, "Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_THAT(admin::header(*response, "Content-Security-Policy"),
                HasSubstr("default-src 'none'; script-src 'self'"));
  }
  ASSERT_NE(find_asset("chart.min.js"), nullptr);
  EXPECT_THAT(std::string{find_asset("chart.min.js")->content}, HasSubstr("Chart.js v3"));
}

TEST(dashboard_files_test, knows_what_a_browser_has_already) {
  const auto etag = admin::header(*file_response("/", ""), "ETag");
  const auto again = file_response("/", etag);
  EXPECT_EQ(again->status, 304);
  EXPECT_TRUE(again->body.empty());
  EXPECT_EQ(file_response("/", "\"another\"")->status, 200);
}

TEST(dashboard_files_test, serves_nothing_else) {
  for (const std::string path : {"/dashboard/app.js", "/dashboard/0000000000000000/app.js", "/x",
                                 "/index.html", "/dashboard/session"}) {
    EXPECT_FALSE(file_response(path, "")) << path;
  }
  EXPECT_FALSE(file_response(base_path(), ""));
  EXPECT_FALSE(file_response(base_path() + "index.html", ""));
  EXPECT_FALSE(file_response(base_path() + "../app.js", ""));
}

}  // namespace
}  // namespace tollgate::proxy::dashboard
