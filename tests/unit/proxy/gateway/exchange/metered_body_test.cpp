// The usage of a call by the way it ends, and the held-back byte of an upload.
#include "proxy/gateway/exchange/metered_body.hpp"

#include <gtest/gtest.h>

#include "tests/unit/proxy/gateway/exchange/wav.hpp"

namespace tollgate::proxy {
namespace {

using quota::stream_end;

struct parts {
  explicit parts(quota::meter_kind kind, std::int64_t estimated = 5'000'000) {
    route.price_at.meter = kind;
    route.price_at.per = quota::unit::minute;
    found.matched = &route;
    found.estimated = {estimated};
    body.begin(route, found);
  }
  void tap(const std::string& type = "audio/wav") {
    EXPECT_FALSE(reader.read_head("HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\n\r\n"));
    body.tap(reader.head());
  }
  routes::route route;
  routes::classified found;
  response_reader reader;
  metered_body body;
};

TEST(metered_body, without_a_meter_is_what_was_estimated) {
  parts call{quota::meter_kind::none, 3};
  EXPECT_EQ(call.body.used().amount, 3);
  EXPECT_EQ(call.body.if_left().amount, 3);
  call.body.close(stream_end::client_gone);
  EXPECT_EQ(call.body.used().amount, 3);
}

TEST(metered_body, of_an_answer_that_nobody_got_is_the_estimate) {
  for (const auto how : {stream_end::client_gone_early, stream_end::client_gone_waiting,
                         stream_end::client_gone, stream_end::no_answer}) {
    parts call{quota::meter_kind::response_audio};
    EXPECT_EQ(call.body.so_far().amount, 0);
    EXPECT_EQ(call.body.if_left().amount, 5'000'000);
    call.body.close(how);
    EXPECT_EQ(call.body.used().amount, 5'000'000);
  }
  parts refused{quota::meter_kind::response_audio};
  refused.body.close(stream_end::refused);
  EXPECT_EQ(refused.body.used().amount, 0);
}

TEST(metered_body, of_an_answer_counts_what_passed) {
  parts call{quota::meter_kind::response_audio};
  call.tap();
  EXPECT_TRUE(call.body.is_tapped());
  call.body.audio().write(wav(2).substr(0, 44 + 8000));
  EXPECT_EQ(call.body.so_far().amount, 1'000'000);
  EXPECT_EQ(call.body.if_left().amount, 1'000'000);
  call.body.close(stream_end::client_gone);
  EXPECT_EQ(call.body.used().amount, 1'000'000);
  call.body.audio().write(std::string(8000, '\1'));
  EXPECT_EQ(call.body.used().amount, 1'000'000);  // no more is counted
}

TEST(metered_body, is_closed_once) {
  parts call{quota::meter_kind::response_audio};
  call.body.close_at({7});
  call.body.close(stream_end::client_gone);
  EXPECT_EQ(call.body.used().amount, 7);
}

TEST(metered_body, of_an_upload_is_never_nothing) {
  parts call{quota::meter_kind::request_audio};
  EXPECT_TRUE(call.body.is_upload());
  call.tap();
  call.body.audio().finish();
  EXPECT_EQ(call.body.used().amount, 1);
  call.body.close(stream_end::accepted);
  EXPECT_EQ(call.body.used().amount, 1);
}

TEST(metered_body, says_what_it_cannot_measure) {
  parts call{quota::meter_kind::response_audio};
  EXPECT_FALSE(call.body.is_unmeasurable());
  call.tap("audio/x");
  call.body.audio().write("this is text, and goes on for long enough to be told from audio");
  call.body.close(stream_end::accepted);
  EXPECT_TRUE(call.body.is_unmeasurable());
}

TEST(metered_body, holds_the_last_byte_of_an_upload_back) {
  parts call{quota::meter_kind::request_audio};
  auto& body = call.body;
  EXPECT_EQ(body.release("", false), "");
  EXPECT_EQ(body.release("abc", false), "ab");
  EXPECT_EQ(body.release("", false), "");
  EXPECT_EQ(body.release("d", false), "c");
  EXPECT_EQ(body.held_back(), "d");
  EXPECT_EQ(body.release("ef", true), "def");
  EXPECT_EQ(body.held_back(), "");
  body.hold_back("yz");
  body.put_back("x");
  EXPECT_EQ(body.release("", true), "xyz");
  body.hold_back("gone");
  body.forget_held_back();
  EXPECT_EQ(body.held_back(), "");
}

}  // namespace
}  // namespace tollgate::proxy
