#include "routes/answer_watch.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/deflate.hpp"

namespace tollgate::routes {
namespace {

using quota::stream_end;

answer_head stream(std::string_view encoding = {}) {
  return {200, "POST", "text/event-stream; charset=utf-8", encoding, true};
}

stream_end judged(const answer_head& head, std::string_view body,
                  stream_end how = stream_end::accepted, std::size_t slice = 1'000'000) {
  answer_watch watch{head};
  for (std::size_t at = 0; at < body.size(); at += slice) watch.write(body.substr(at, slice));
  return watch.judge(how);
}

const std::string openai_error =
    "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}\n\n";
const std::string anthropic_error =
    "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
const std::string message_start =
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{}}}\n\n";
const std::string ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
const std::string role =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
    "\"finish_reason\":null}]}\n\n";
const std::string text = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
const std::string done = "data: [DONE]\n\n";

TEST(answer_watch, a_stream_that_carries_only_an_error_is_one) {
  for (const auto& body :
       {openai_error, anthropic_error, openai_error + done, message_start + ping + anthropic_error,
        role + openai_error, std::string{": hello\n\n"} + openai_error,
        std::string{"data: {\"success\":false,\"error\":{\"code\":\"x\"}}\n\n"},
        std::string{"event: error\ndata: it broke\n\n"},
        std::string{
            "data: {\"type\":\"response.created\"}\n\ndata: {\"type\":\"response.failed\"}\n\n"},
        std::string{"data: {\"type\":\"error\",\"message\":\"x\"}\n\n"},
        std::string{"data: {\"error\":\"no such model\"}"}}) {
    EXPECT_EQ(judged(stream(), body), stream_end::stream_error) << body;
    EXPECT_EQ(judged(stream(), body, stream_end::upstream_failed), stream_end::stream_error);
    // A client leaves as soon as it has read the error.
    EXPECT_EQ(judged(stream(), body, stream_end::client_gone), stream_end::stream_error);
  }
}

TEST(answer_watch, a_stream_that_carries_nothing_is_empty) {
  for (const auto& body :
       {std::string{}, std::string{": keep-alive\n\n: keep-alive\n\n"}, done, ping + ping,
        message_start, role, std::string{"\n\n\n"}, std::string{"id: 1\nretry: 5\n\n"},
        std::string{"data\n\n"},
        std::string{"data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n"}}) {
    EXPECT_EQ(judged(stream(), body), stream_end::empty) << body;
    EXPECT_EQ(judged(stream(), body, stream_end::upstream_failed), stream_end::empty);
    // The rest of the answer is unknown.
    EXPECT_EQ(judged(stream(), body, stream_end::client_gone), stream_end::client_gone);
  }
}

TEST(answer_watch, anything_else_is_content) {
  for (const auto& body :
       {text, role + text + openai_error, text + done, std::string{"data: plain words\n\n"},
        std::string{"data: {\"error\":null,\"text\":\"x\"}\n\n"},
        std::string{"data: {\"error\":false}\n\n"}, std::string{"data: {\"Error\":{}}\n\n"},
        std::string{"data: {\"error\":{},\"error\":null}\n\n"}, std::string{"data: {\"broken\n\n"},
        std::string{"data: [1,2]\n\n"},
        std::string{"data: {\"choices\":[],\"usage\":{\"total_tokens\":9}}\n\n"},
        std::string{"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"},
        std::string{"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{}]}}]}\n\n"},
        message_start + "event: message_delta\ndata: {\"type\":\"message_delta\"}\n\n",
        "data: " + std::string(100'000, 'x') + "\n\n"}) {
    EXPECT_EQ(judged(stream(), body), stream_end::accepted) << body.substr(0, 100);
  }
  EXPECT_EQ(judged(stream(), text, stream_end::upstream_failed), stream_end::upstream_failed);
  EXPECT_EQ(judged(stream(), text, stream_end::client_gone), stream_end::client_gone);
  EXPECT_EQ(judged(stream(), text, stream_end::cut), stream_end::cut);
}

// The connection may break after the event that marks the end.
TEST(answer_watch, a_stream_whose_last_event_came_is_complete) {
  for (const auto& last :
       {done, std::string{"data: [DONE]"}, std::string{"data:[DONE]\r\n"},
        std::string{"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
        std::string{"event: response.completed\ndata: {}\n\n"},
        std::string{"data: {\"type\":\"response.completed\",\"response\":{}}\n\n"},
        std::string{"data: { \"type\" : \"transcript.text.done\", \"text\":\"x\"}\n\n"},
        std::string{"event: speech.audio.done\ndata: {}\n\n"}}) {
    for (const auto how : {stream_end::upstream_failed, stream_end::client_gone}) {
      EXPECT_EQ(judged(stream(), text + last, how), stream_end::accepted) << last;
    }
  }
  const std::string of_a_part = "event: response.output_text.done\ndata: {}\n\n";
  EXPECT_EQ(judged(stream(), text + of_a_part, stream_end::upstream_failed),
            stream_end::upstream_failed);
  EXPECT_EQ(judged(stream(), "data: {\"x\":\"[DONE]\"}\n\n", stream_end::upstream_failed),
            stream_end::upstream_failed);
}

TEST(answer_watch, any_slices_give_the_same_answer) {
  const std::string bodies[] = {role + openai_error + done, "\xEF\xBB\xBF" + ping + text + done,
                                ": x\r\n\r\n" + message_start + anthropic_error};
  for (const auto& body : bodies) {
    for (std::size_t slice = 1; slice < 20; ++slice) {
      for (const auto how : {stream_end::accepted, stream_end::upstream_failed}) {
        EXPECT_EQ(judged(stream(), body, how, slice), judged(stream(), body, how)) << slice;
      }
    }
  }
}

TEST(answer_watch, reads_streams_that_are_compressed) {
  const auto packed = tests::deflated(role + openai_error);
  EXPECT_EQ(judged(stream("gzip"), packed), stream_end::stream_error);
  EXPECT_EQ(judged(stream("gzip"), packed, stream_end::accepted, 1), stream_end::stream_error);
  EXPECT_EQ(judged(stream("gzip"), tests::deflated("")), stream_end::empty);
  EXPECT_EQ(judged(stream("gzip"), tests::deflated(text + done)), stream_end::accepted);
  const auto broken = tests::deflated(text + done + std::string(100, ' '));
  EXPECT_EQ(
      judged(stream("gzip"), broken.substr(0, broken.size() - 8), stream_end::upstream_failed),
      stream_end::accepted);
  // An answer that cannot be read is charged.
  EXPECT_EQ(judged(stream("br"), openai_error), stream_end::accepted);
  EXPECT_EQ(judged(stream("gzip"), openai_error), stream_end::accepted);
}

// An answer of another type is not inspected.
TEST(answer_watch, other_answers_are_empty_or_not) {
  const answer_head json{200, "POST", "application/json"};
  EXPECT_EQ(judged(json, ""), stream_end::empty);
  EXPECT_EQ(judged(json, "", stream_end::upstream_failed), stream_end::empty);
  EXPECT_EQ(judged(json, "{\"error\":{}}"), stream_end::accepted);
  EXPECT_EQ(judged(json, "{", stream_end::upstream_failed), stream_end::upstream_failed);
  for (const auto* method : {"PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}) {
    EXPECT_EQ(judged({200, method, "application/json"}, ""), stream_end::accepted) << method;
  }
  EXPECT_EQ(judged({201, "POST", "application/json"}, ""), stream_end::accepted);
  EXPECT_EQ(judged({200, "HEAD", "text/event-stream"}, ""), stream_end::accepted);
  EXPECT_EQ(judged({200, "PUT", "text/event-stream"}, openai_error), stream_end::stream_error);
}

TEST(end_by_head, says_how_a_call_ends_if_its_answer_goes_on_as_it_began) {
  const auto end = [](int status, std::string_view method, bool has_body) {
    return end_by_head({status, method, "application/json", "", has_body});
  };
  for (const int status : {400, 402, 404, 429, 500, 503}) {
    EXPECT_EQ(end(status, "POST", true), stream_end::refused);
  }
  for (const int status : {300, 301, 302, 305, 307, 308}) {
    EXPECT_EQ(end(status, "POST", false), stream_end::redirected) << status;
  }
  // The work was done, or its result already existed.
  for (const int status : {303, 304}) {
    EXPECT_EQ(end(status, "POST", false), stream_end::accepted) << status;
  }
  EXPECT_EQ(end(200, "POST", true), stream_end::accepted);
  EXPECT_EQ(end(200, "POST", false), stream_end::empty);
  EXPECT_EQ(end(200, "GET", false), stream_end::empty);
  for (const auto* method : {"PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}) {
    EXPECT_EQ(end(200, method, false), stream_end::accepted) << method;
  }
  for (const int status : {101, 201, 202, 204, 205, 206}) {
    EXPECT_EQ(end(status, "POST", false), stream_end::accepted) << status;
  }
}

}  // namespace
}  // namespace tollgate::routes
