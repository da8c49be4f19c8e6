#include "proxy/net/http/head_guard.hpp"

#include <ostream>

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::string_literals;

// `complaint` is part of the error message; empty if there is none.
struct head_case {
  std::string head, complaint;
};

void PrintTo(const head_case& each, std::ostream* out) {
  *out << testing::PrintToString(each.head);
}

void expect(const std::optional<std::string>& found, const std::string& complaint) {
  if (complaint.empty()) {
    EXPECT_EQ(found, std::nullopt);
  } else {
    ASSERT_TRUE(found) << "nothing is wrong with it";
    EXPECT_NE(found->find(complaint), std::string::npos) << *found;
  }
}

// --- request lines -------------------------------------------------------------------------------

class request_line : public testing::TestWithParam<head_case> {};

TEST_P(request_line, is_read_in_one_way_or_refused) {
  expect(inspect_request_head(GetParam().head + "\r\nHost: a\r\n\r\n"), GetParam().complaint);
}

INSTANTIATE_TEST_SUITE_P(
    fit, request_line,
    testing::Values(head_case{"GET / HTTP/1.1", ""}, head_case{"GET / HTTP/1.0", ""},
                    head_case{"POST /v1/chat/completions?a=b&c=%20 HTTP/1.1", ""},
                    head_case{"OPTIONS * HTTP/1.1", ""}, head_case{"M-SEARCH / HTTP/1.1", ""},
                    head_case{"GET http://a/v1/models HTTP/1.1", ""},
                    // Valid targets, and bytes beyond ASCII in them, are the concern of
                    // routes::read_target.
                    head_case{"CONNECT a:443 HTTP/1.1", ""},
                    head_case{"GET /caf\xc3\xa9 HTTP/1.1", ""}));

INSTANTIATE_TEST_SUITE_P(
    unfit, request_line,
    testing::Values(
        head_case{"", "request line is not"}, head_case{"GET", "request line is not"},
        head_case{"GET /", "request line is not"}, head_case{"GET  HTTP/1.1", "target is empty"},
        head_case{"GET  / HTTP/1.1", "white space"}, head_case{"GET /  HTTP/1.1", "white space"},
        head_case{"GET /a b HTTP/1.1", "white space"},
        head_case{"GET /a\tb HTTP/1.1", "white space"},
        head_case{"GET\t/\tHTTP/1.1", "request line is not"},
        head_case{"GET\t/ HTTP/1.1", "request line is not"},
        head_case{" GET / HTTP/1.1", "method is not a token"},
        head_case{"GET / HTTP/1.1 ", "white space"}, head_case{"GE(T / HTTP/1.1", "method"},
        head_case{"GET: / HTTP/1.1", "method"}, head_case{"G\xc3\x8bT / HTTP/1.1", "method"},
        head_case{"GET / HTTP/0.9", "version"}, head_case{"GET / HTTP/1.2", "version"},
        head_case{"GET / HTTP/2.0", "version"}, head_case{"PRI * HTTP/2.0", "version"},
        head_case{"GET / HTTP/3", "version"}, head_case{"GET / HTTP/11", "version"},
        head_case{"GET / HTTP/1.10", "version"}, head_case{"GET / HTTP/01.1", "version"},
        head_case{"GET / http/1.1", "version"}, head_case{"GET / HTTPS/1.1", "version"},
        head_case{"GET / HTTP /1.1", "white space"}, head_case{"GET / HTTP/1 .1", "white space"},
        head_case{"GET / \xefHTTP/1.1", "version"}));

// --- header fields of a request ------------------------------------------------------------------

class request_field : public testing::TestWithParam<head_case> {};

TEST_P(request_field, is_read_in_one_way_or_refused) {
  expect(inspect_request_head("POST / HTTP/1.1\r\nHost: a\r\n" + GetParam().head + "\r\n"),
         GetParam().complaint);
}

INSTANTIATE_TEST_SUITE_P(
    fit, request_field,
    testing::Values(head_case{"", ""}, head_case{"A: b\r\n", ""}, head_case{"A:b\r\n", ""},
                    head_case{"A:\r\n", ""}, head_case{"A: \t b \t \r\n", ""},
                    head_case{"A: b: c\r\n", ""}, head_case{"A: b\xff\x80\r\n", ""},
                    head_case{"a_b.c!#$%&'*+-^`|~: d\r\n", ""},
                    head_case{"Content-Length: 0\r\n", ""}, head_case{"Content-Length:5\r\n", ""},
                    head_case{"Content-Length: \t5 \r\n", ""},
                    head_case{"CONTENT-length: 005\r\n", ""},
                    head_case{"Content-Length: 999999999999999999\r\n", ""},
                    head_case{"Transfer-Encoding: chunked\r\n", ""},
                    head_case{"transfer-encoding:\tCHUNKED \r\n", ""},
                    head_case{"X-Content-Length: x\r\n", ""}));

INSTANTIATE_TEST_SUITE_P(
    lines, request_field,
    testing::Values(
        head_case{"A: b\nC: d\r\n", "bare LF"}, head_case{"A: b\n\r\n", "bare LF"},
        head_case{"A: b\rC: d\r\n", "CR that is not"}, head_case{"A: b\r\r\n", "CR that is not"},
        head_case{"\rA: b\r\n", "CR that is not"}, head_case{"A: b\r\n c\r\n", "white space"},
        head_case{"A: b\r\n\tc\r\n", "white space"}, head_case{" A: b\r\n", "white space"},
        head_case{"A : b\r\n", "header name"}, head_case{"A\t: b\r\n", "header name"},
        head_case{": b\r\n", "header name"}, head_case{"A B: c\r\n", "header name"},
        head_case{"A\"B: c\r\n", "header name"}, head_case{"A(B): c\r\n", "header name"},
        head_case{"[A]: c\r\n", "header name"}, head_case{"A@B: c\r\n", "header name"},
        head_case{"\xc3\xa4: c\r\n", "header name"}, head_case{"A\r\n", "no colon"},
        head_case{"A b\r\n", "no colon"}, head_case{"A: b\0c\r\n"s, "control"},
        head_case{"A\0: b\r\n"s, "control"}, head_case{"A: b\x01\r\n", "control"},
        head_case{"A: \x0b"
                  "b\r\n",
                  "control"},
        head_case{"A: \x0c"
                  "b\r\n",
                  "control"},
        head_case{"A: b\x1b[0m\r\n", "control"}, head_case{"A: b\x7f\r\n", "control"},
        head_case{"A: b\x08\r\n", "control"}));

INSTANTIATE_TEST_SUITE_P(
    framing, request_field,
    testing::Values(
        head_case{"Content-Length:\r\n", "Content-Length"},
        head_case{"Content-Length: +5\r\n", "Content-Length"},
        head_case{"Content-Length: -5\r\n", "Content-Length"},
        head_case{"Content-Length: 0x5\r\n", "Content-Length"},
        head_case{"Content-Length: 5 5\r\n", "Content-Length"},
        head_case{"Content-Length: 5,5\r\n", "Content-Length"},
        head_case{"Content-Length: 5, 6\r\n", "Content-Length"},
        head_case{"Content-Length: 5.0\r\n", "Content-Length"},
        head_case{"Content-Length: 1e1\r\n", "Content-Length"},
        head_case{"Content-Length: five\r\n", "Content-Length"},
        head_case{"Content-Length: \"5\"\r\n", "Content-Length"},
        head_case{"Content-Length: \xd9\xa5\r\n", "Content-Length"},  // an Arabic digit
        head_case{"Content-Length: 9999999999999999999\r\n", "Content-Length"},
        head_case{"Content-Length: 18446744073709551621\r\n", "Content-Length"},  // 5, modulo 2^64
        head_case{"Content-Length: 5\r\nContent-Length: 5\r\n", "more than once"},
        head_case{"Content-Length: 5\r\ncontent-length: 6\r\n", "more than once"},
        head_case{"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "together"},
        head_case{"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "together"},
        head_case{"Transfer-Encoding:\r\n", "exactly"},
        head_case{"Transfer-Encoding: identity\r\n", "exactly"},
        head_case{"Transfer-Encoding: gzip\r\n", "exactly"},
        head_case{"Transfer-Encoding: gzip, chunked\r\n", "exactly"},
        head_case{"Transfer-Encoding: chunked, gzip\r\n", "exactly"},
        head_case{"Transfer-Encoding: chunked, chunked\r\n", "exactly"},
        head_case{"Transfer-Encoding: chunked, identity\r\n", "exactly"},
        head_case{"Transfer-Encoding: identity, chunked\r\n", "exactly"},
        head_case{"Transfer-Encoding: ,chunked\r\n", "exactly"},
        head_case{"Transfer-Encoding: chunked,\r\n", "exactly"},
        head_case{"Transfer-Encoding: chunked;q=1\r\n", "exactly"},
        head_case{"Transfer-Encoding: \"chunked\"\r\n", "exactly"},
        head_case{"Transfer-Encoding: xchunked\r\n", "exactly"},
        head_case{"Transfer-Encoding: chunkedx\r\n", "exactly"},
        head_case{"Transfer-Encoding: chu nked\r\n", "exactly"},
        head_case{"Transfer-Encoding: chunked\x0b\r\n", "control"},
        head_case{"Transfer-Encoding: \x0c"
                  "chunked\r\n",
                  "control"},
        head_case{"Transfer-Encoding: chunked\xa0\r\n", "exactly"},
        head_case{"Transfer-Encoding: \xe2\x84\xaa"
                  "chunked\r\n",
                  "exactly"},
        head_case{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "more than once"},
        head_case{"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "more than once"},
        head_case{"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", "exactly"},
        head_case{"Transfer-Encoding : chunked\r\n", "header name"},
        head_case{"Transfer-Encoding\r\n : chunked\r\n", "no colon"},
        head_case{"Transfer-Encoding:\r\n chunked\r\n", "exactly"},
        head_case{"X: y\r\n Transfer-Encoding: chunked\r\n", "white space"}));

// --- Host ----------------------------------------------------------------------------------------

class host_field : public testing::TestWithParam<head_case> {};

TEST_P(host_field, is_there_once_and_sound) {
  expect(inspect_request_head(GetParam().head + "\r\n"), GetParam().complaint);
}

INSTANTIATE_TEST_SUITE_P(
    forms, host_field,
    testing::Values(head_case{"GET / HTTP/1.1\r\nHost: api.example.com\r\n", ""},
                    head_case{"GET / HTTP/1.1\r\nhost:api.example.com:8080\r\n", ""},
                    head_case{"GET / HTTP/1.1\r\nHost: [::1]:80\r\n", ""},
                    head_case{"GET / HTTP/1.1\r\nHost:\r\n", ""},
                    head_case{"GET / HTTP/1.0\r\n", ""},
                    head_case{"GET / HTTP/1.1\r\n", "needs a Host"},
                    head_case{"GET / HTTP/1.1\r\nX: y\r\n", "needs a Host"},
                    head_case{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "more than once"},
                    head_case{"GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n", "more than once"},
                    head_case{"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n", "more than once"},
                    head_case{"GET / HTTP/1.1\r\nHost: a b\r\n", "malformed"},
                    head_case{"GET / HTTP/1.1\r\nHost: a/b\r\n", "malformed"},
                    head_case{"GET / HTTP/1.1\r\nHost: a@b\r\n", "malformed"},
                    head_case{"GET / HTTP/1.1\r\nHost: a?b\r\n", "malformed"},
                    head_case{"GET / HTTP/1.1\r\nHost: a#b\r\n", "malformed"},
                    head_case{"GET / HTTP/1.1\r\nHost: a\\b\r\n", "malformed"},
                    head_case{"GET / HTTP/1.1\r\nHost: \"a\"\r\n", "malformed"},
                    head_case{"GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n", "malformed"}));

TEST(head_guard, knows_no_transfer_encoding_in_http_1_0) {
  expect(inspect_request_head("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), "HTTP/1.0");
  expect(inspect_response_head("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
         "HTTP/1.0");
}

// --- responses -----------------------------------------------------------------------------------

class response_fields : public testing::TestWithParam<head_case> {};

TEST_P(response_fields, are_read_in_one_way_or_refused) {
  expect(inspect_response_head(GetParam().head + "\r\n"), GetParam().complaint);
}

INSTANTIATE_TEST_SUITE_P(
    heads, response_fields,
    testing::Values(
        head_case{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", ""},
        head_case{"HTTP/1.1 200 \r\n", ""}, head_case{"HTTP/1.1 200\r\n", ""},
        head_case{"HTTP/1.1 404 Not  Found\r\nTransfer-Encoding: chunked\r\n", ""},
        head_case{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n", "more"},
        head_case{"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n", "Content-Length"},
        head_case{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                  "together"},
        head_case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", "exactly"},
        head_case{"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n", "white space"},
        head_case{"HTTP/1.1 200 OK\r\nA : b\r\n", "header name"},
        head_case{"HTTP/1.1 200 OK\nA: b\r\n", "bare LF"},
        head_case{"HTTP/1.1 200 O\0K\r\n"s, "control"}));

// --- the end of a head ---------------------------------------------------------------------------

struct end_case {
  std::string bytes;
  std::size_t end;
};

void PrintTo(const end_case& each, std::ostream* out) {
  *out << testing::PrintToString(each.bytes);
}

class head_end : public testing::TestWithParam<end_case> {};

TEST_P(head_end, is_found_where_it_is) {
  EXPECT_EQ(find_head_end(GetParam().bytes), GetParam().end);
}

constexpr auto none = std::string_view::npos;

INSTANTIATE_TEST_SUITE_P(places, head_end,
                         testing::Values(end_case{"", none}, end_case{"GET / HTTP/1.1\r\n", none},
                                         end_case{"A\r\n\r", none}, end_case{"A\r\n\r\n", 5},
                                         end_case{"A\r\n\r\nB", 5}, end_case{"A\r\nB\r\n\r\n", 8},
                                         end_case{"A\n", none}, end_case{"A\n\n", 3},
                                         end_case{"A\n\r", none}, end_case{"A\n\r\n", 4},
                                         end_case{"A\r\r\n\n", 5}, end_case{"A\r\rB", none},
                                         end_case{"A\r\n\rB\r\n", none}, end_case{"\r\n\r\n", 4}));

// For any bytes the guard gives an answer, and no line of an accepted head could be read as two.
TEST(head_guard, lets_no_stray_line_ending_pass) {
  const std::string good = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
  ASSERT_EQ(inspect_request_head(good), std::nullopt);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char stray : {'\r', '\n', '\0'}) {
      auto bad = good;
      bad[at] = stray;
      if (bad == good) continue;
      EXPECT_NE(inspect_request_head(bad), std::nullopt) << testing::PrintToString(bad);
      bad = good;
      bad.insert(at, 1, stray);
      EXPECT_NE(inspect_request_head(bad), std::nullopt) << testing::PrintToString(bad);
    }
  }
}

// --- every byte ----------------------------------------------------------------------------------

bool may_stand(char before, char c, char after) {
  if (c == '\r') return after == '\n';
  if (c == '\n') return before == '\r';
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

// The check processes many bytes at once: so each byte is tried at each position of a long value.
TEST(head_bytes, are_looked_at_wherever_they_stand) {
  const std::string before = "HTTP/1.1 200 OK\r\nX-A: ", after = "\r\n\r\n";
  const std::string value(70, 'v');
  for (std::size_t at = 0; at <= value.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      auto head = before + value + after;
      head.insert(before.size() + at, 1, static_cast<char>(c));
      const auto i = before.size() + at;
      const bool fine = may_stand(head[i - 1], head[i], head[i + 1]);
      EXPECT_EQ(inspect_response_head(head).has_value(), !fine) << "byte " << c << " at " << at;
    }
  }
}

}  // namespace
}  // namespace tollgate::proxy
