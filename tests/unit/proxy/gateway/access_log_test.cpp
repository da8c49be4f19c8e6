// One line of JSON per request.
#include "proxy/gateway/access_log.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace tollgate::proxy {
namespace {

using namespace quota::literals;

class access_logs : public testing::Test {
 protected:
  ~access_logs() override { std::filesystem::remove(path); }

  std::string text() const {
    std::ostringstream out;
    out << std::ifstream{path}.rdbuf();
    return out.str();
  }

  const std::string path = std::filesystem::temp_directory_path() /
                           ("tollgate-access-" + std::to_string(::getpid()) + ".log");
  const quota::time_point at{quota::milliseconds{1'767'268'800'123}};
};

TEST_F(access_logs, say_all_that_is_known) {
  access_log log{path};
  exchange_record record;
  record.request_id = "req-1";
  record.peer = "10.0.0.1";
  record.method = "POST";
  record.path = "/v1/\"x\"\n";
  record.who = {"chat", "llm", "gpt-4", "a1", "c1", "key_1", "acme"};
  record.status = 200;
  record.end = quota::stream_end::accepted;
  record.money.charged = 10_credits;
  record.money.audio_us = 1'500'000;
  record.money.unmeasurable = record.money.beyond_balance = true;
  record.bytes_in = 3;
  record.bytes_out = 4;
  record.took = {45, 5, 6, 7, 8, 9, 4, 6};
  log.write(record, at);
  EXPECT_EQ(text(), "");  // collected until it is flushed
  log.flush();
  EXPECT_EQ(text(),
            R"({"time":"2026-01-01T12:00:00.123Z","request_id":"req-1","client":"10.0.0.1",)"
            R"("org":"acme","key":"key_1","method":"POST","path":"/v1/\"x\"\u000a","route":"chat",)"
            R"("action":"llm","model":"gpt-4","agent":"a1","conversation":"c1","status":200,)"
            R"("end":"accepted","credits":10,"audio_seconds":1.500000,"unmeasurable":true,)"
            R"("beyond_balance":true,"bytes_in":3,"bytes_out":4,"total_us":45,"key_us":5,)"
            R"("request_us":6,"store_us":7,"connect_us":8,"upstream_us":9,"response_us":4,)"
            R"("overhead_us":6})"
            "\n");
}

TEST_F(access_logs, leave_out_the_parts_of_its_time_that_a_call_does_not_have) {
  access_log log{path};
  exchange_record record;
  record.took.total_us = record.took.overhead_us = 9;
  log.write(record, at);
  log.flush();
  EXPECT_NE(text().find(R"("bytes_out":0,"total_us":9,"store_us":0,"upstream_us":0,)"
                        R"("response_us":0,"overhead_us":9})"),
            std::string::npos)
      << text();
}

TEST_F(access_logs, say_why_an_upstream_failed) {
  access_log log{path};
  exchange_record record;
  record.failure.cause = upstream_cause::refused;
  log.write(record, at);
  log.flush();
  EXPECT_NE(text().find(R"("end":"not_sent","upstream_failure":"refused","credits":0)"),
            std::string::npos)
      << text();
}

TEST_F(access_logs, are_valid_json_whatever_a_client_sends) {
  access_log log{path};
  exchange_record record;
  record.path = "/caf\xC3\xA9/\xFF\x7F";  // an invalid byte, and DEL
  log.write(record, at);
  log.flush();
  EXPECT_NE(text().find("\"path\":\"/caf\xC3\xA9/\xEF\xBF\xBD\\u007f\""), std::string::npos)
      << text();
}

TEST_F(access_logs, name_a_refusal_instead_of_an_end) {
  {
    access_log log{path};
    exchange_record record;
    record.refusal = routes::problem_code::no_route;
    record.status = 404;
    log.write(record, at);
  }
  EXPECT_NE(text().find(R"("status":404,"refused":"no_route","credits":0)"), std::string::npos)
      << text();
}

TEST_F(access_logs, that_are_off_say_nothing) {
  access_log log{"off"};
  EXPECT_FALSE(log.enabled());
  log.write({}, at);
  log.reopen(path);
  EXPECT_TRUE(log.enabled());
  log.write({}, at);
  log.reopen("off");
  const auto written = text();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 1);
}

TEST_F(access_logs, may_go_to_standard_output) {
  testing::internal::CaptureStdout();
  {
    access_log log{"-"};
    log.write({}, at);
  }
  EXPECT_TRUE(
      testing::internal::GetCapturedStdout().starts_with("{\"time\":\"2026-01-01T12:00:00"));
}

TEST_F(access_logs, that_cannot_be_written_keep_some_lines_and_count_the_others) {
  access_log log{"/dev/full"};
  log.write({}, at);
  log.flush();
  EXPECT_EQ(log.lost_lines(), 0);
  log.reopen(path);
  log.write({}, at);
  log.flush();
  auto written = text();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 2);

  log.reopen("/dev/full");
  constexpr int many = 20'000;  // more than `most_kept`
  for (int i = 0; i < many; ++i) log.write({}, at);
  log.flush();
  EXPECT_GT(log.lost_lines(), 0);
  log.reopen(path);
  log.flush();
  written = text();
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n') - 2, many - log.lost_lines());
}

TEST_F(access_logs, of_several_threads_never_mix_their_lines) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK), 0);
  ::fcntl(ends[1], F_SETPIPE_SZ, 4096);
  log_file pipe{ends[1]};
  std::string read;
  const auto drain = [&] {
    char piece[1000];
    for (ssize_t n = 0; (n = ::read(ends[0], piece, sizeof piece)) > 0;)
      read.append(piece, static_cast<std::size_t>(n));
  };
  std::string first, second, expected_first, expected_second;
  for (int i = 0; i < 100; ++i) {
    first += std::string(90 + i, 'a') + "\n";
    second += std::string(90 + i, 'b') + "\n";
  }
  expected_first = first;
  expected_second = second;
  for (int turn = 0; !first.empty() || !second.empty(); ++turn) {
    ASSERT_LT(turn, 1000);
    const int why = pipe.write(turn % 2 == 0 ? first : second);
    EXPECT_TRUE(why == 0 || why == EAGAIN) << why;
    if (turn % 3 == 2) drain();
  }
  for (std::string none; pipe.write(none) != 0;) drain();
  drain();
  std::string got_first, got_second;
  std::istringstream lines{read};
  for (std::string line; std::getline(lines, line);) {
    ASSERT_EQ(line.find_first_not_of(line[0]), line.npos) << line;
    (line[0] == 'a' ? got_first : got_second) += line + "\n";
  }
  EXPECT_EQ(got_first, expected_first);
  EXPECT_EQ(got_second, expected_second);
  ::close(ends[0]);
}

TEST_F(access_logs, of_one_file_share_it) {
  EXPECT_EQ(log_file::open(path), log_file::open(path));
  const auto before = log_file::open(path);
  std::filesystem::rename(path, path + ".1");
  EXPECT_NE(log_file::open(path), before) << "after a rotation";
  std::filesystem::remove(path + ".1");
}

TEST_F(access_logs, say_whether_tollgate_refused_or_the_upstream_failed) {
  {
    access_log log{path};
    exchange_record record;
    record.refusal = routes::problem_code::upstream_unreachable;
    log.write(record, at);
  }
  EXPECT_NE(text().find(R"("error":"upstream_unreachable")"), std::string::npos) << text();
}

TEST_F(access_logs, that_cannot_be_opened_are_an_error_and_the_old_one_goes_on) {
  access_log log{path};
  EXPECT_THROW(log.reopen("/nowhere/at/all.log"), std::runtime_error);
  EXPECT_TRUE(log.enabled());
  for (int i = 0; i < 1000; ++i) log.write({}, at);  // more than the buffer holds
  EXPECT_NE(text(), "");
}

}  // namespace
}  // namespace tollgate::proxy
