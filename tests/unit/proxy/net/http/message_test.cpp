#include "proxy/net/http/message.hpp"

#include <ostream>
#include <random>

#include <gtest/gtest.h>

#include "proxy/net/http/head_guard.hpp"
#include "tests/support/append.hpp"

namespace tollgate::proxy {
namespace {

using namespace std::string_literals;
using tests::append;

// The result for one message, however its bytes were split.
struct reading {
  std::string body, trailers, rest;  // rest: the bytes after the message
  bool done = false, failed = false;

  bool operator==(const reading&) const = default;
};

void PrintTo(const reading& each, std::ostream* out) {
  *out << (each.failed ? "failed"
           : each.done ? "done"
                       : "unfinished")
       << ", body " << testing::PrintToString(each.body) << ", trailers "
       << testing::PrintToString(each.trailers) << ", rest " << testing::PrintToString(each.rest);
}

constexpr std::size_t limit = byte_buffer::transfer_capacity;

// Gives the bytes after the head to a reader in the given pieces, then the end of the stream.
template <bool is_request>
reading read_in_pieces(std::string_view message, const std::vector<std::size_t>& cuts,
                       bool bodiless = false) {
  const auto head = find_head_end(message);
  message_reader<is_request> reader;
  reading result;
  result.failed = static_cast<bool>(reader.read_head(message.substr(0, head), bodiless));
  byte_buffer buffer;
  std::size_t from = head;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const auto to = i < cuts.size() ? std::max(from, head + cuts[i]) : message.size();
    append(buffer, message.substr(from, to - from));
    from = to;
    if (result.failed || reader.done()) continue;
    const auto found = reader.decode(buffer);
    result.body += found.body;
    result.failed = static_cast<bool>(found.error);
    buffer.consume(found.consumed);
  }
  if (!result.failed && !reader.done()) result.failed = static_cast<bool>(reader.decode_end());
  result.done = !result.failed && reader.done();
  result.rest = buffer.view();
  for (const auto& [name, value] : reader.trailers()) result.trailers += name + "=" + value + ";";
  return result;
}

template <bool is_request>
void expect_for_every_split(const std::string& message, const reading& expected,
                            bool bodiless = false) {
  SCOPED_TRACE(testing::PrintToString(message));
  const std::size_t size = message.size() - find_head_end(message);
  EXPECT_EQ(read_in_pieces<is_request>(message, {}, bodiless), expected) << "in one piece";
  std::vector<std::size_t> every;
  for (std::size_t at = 0; at < size; ++at) every.push_back(at);
  EXPECT_EQ(read_in_pieces<is_request>(message, every, bodiless), expected) << "byte by byte";
  for (std::size_t at = 0; at < size; ++at) {
    ASSERT_EQ(read_in_pieces<is_request>(message, {at}, bodiless), expected) << "cut at " << at;
  }
}

const std::string chunked_request =
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string chunked_answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(message_reader, reads_a_head) {
  request_reader reader;
  ASSERT_FALSE(
      reader.read_head("POST /v1/x?y=z HTTP/1.1\r\nHost: a\r\nX-Thing:  v w \t\r\n"
                       "Empty:\r\nContent-Length: 3\r\n\r\n"));
  const auto& head = reader.head();
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/v1/x?y=z");
  EXPECT_EQ(head.version, 11);
  ASSERT_EQ(head.fields.size(), 4u);
  EXPECT_EQ(head.fields[1].name, "X-Thing");
  EXPECT_EQ(head.fields[1].value, "v w");
  EXPECT_EQ(head.fields[2].value, "");
  EXPECT_EQ(head.names[1], http::field::unknown);
  EXPECT_EQ(head.find(http::field::host), "a");
  EXPECT_EQ(reader.body_framing(), framing::length);
  EXPECT_EQ(reader.content_length(), 3u);
  EXPECT_FALSE(reader.done());
}

TEST(message_reader, reads_the_head_of_a_response) {
  response_reader reader;
  ASSERT_FALSE(reader.read_head("HTTP/1.0 404 Not  Found\r\nA: b\r\n\r\n"));
  EXPECT_EQ(reader.head().status, 404);
  EXPECT_EQ(reader.head().reason, "Not  Found");
  EXPECT_EQ(reader.head().version, 10);
  EXPECT_EQ(reader.body_framing(), framing::until_close);
  EXPECT_FALSE(reader.keep_alive());
}

TEST(message_reader, reads_a_status_line_that_ends_with_the_status) {
  for (const std::string line : {"HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 200"}) {
    response_reader reader;
    ASSERT_FALSE(reader.read_head(line + "\r\nContent-Length: 2\r\nA: b\r\n\r\n")) << line;
    EXPECT_EQ(reader.head().status, 200);
    EXPECT_EQ(reader.head().reason, "");
    EXPECT_EQ(reader.content_length(), 2U);
    EXPECT_EQ(reader.head().fields.size(), 2U);
  }
  for (const std::string line :
       {"HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1", "HTTP/2.0 200", "HTTP/1.1  200"}) {
    response_reader reader;
    EXPECT_TRUE(reader.read_head(line + "\r\nA: b\r\n\r\n")) << line;
  }
}

TEST(message_reader, refuses_half_a_head) {
  request_reader reader;
  EXPECT_TRUE(reader.read_head("GET / HTTP/1.1\r\nHost: a\r\n"));
}

TEST(message_reader, refuses_a_status_that_is_none) {
  for (const std::string line :
       {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1", "HTTP/2 200 OK",
        "HTTP/1.2 200 OK", "ICY 200 OK", "200 OK", "HTTP/1.1 099 Low", "HTTP/1.1 000 None"}) {
    response_reader reader;
    EXPECT_TRUE(reader.read_head(line + "\r\nA: b\r\n\r\n")) << line;
  }
}

TEST(message_reader, finds_tokens_in_lists_over_several_lines) {
  request_reader reader;
  ASSERT_FALSE(
      reader.read_head("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-A\r\n"
                       "Connection: Upgrade\r\nTE: gzip;q=0.5, Trailers\r\n\r\n"));
  EXPECT_TRUE(reader.head().has_token(http::field::connection, "upgrade"));
  EXPECT_TRUE(reader.head().has_token(http::field::connection, "x-a"));
  EXPECT_FALSE(reader.head().has_token(http::field::connection, "x"));
  EXPECT_TRUE(reader.head().has_token(http::field::te, "trailers"));
}

// --- bodies --------------------------------------------------------------------------------------

TEST(message_reader, reads_a_body_of_known_length) {
  expect_for_every_split<true>(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello worldGET /",
      {"hello world", "", "GET /", true, false});
  expect_for_every_split<false>("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1",
                                {"hello", "", "HTTP/1.1", true, false});
  expect_for_every_split<true>("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /",
                               {"", "", "GET /", true, false});
  expect_for_every_split<true>("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /",
                               {"", "", "GET /", true, false});
}

TEST(message_reader, a_body_that_ends_too_early_is_an_error) {
  expect_for_every_split<true>("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nhello",
                               {"hello", "", "", false, true});
  expect_for_every_split<false>("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n",
                                {"", "", "", false, true});
  expect_for_every_split<false>(chunked_answer + "5\r\nhello\r\n",
                                {"hello", "", "\r\n", false, true});
  expect_for_every_split<false>(chunked_answer + "5\r\nhel", {"hel", "", "", false, true});
}

TEST(message_reader, a_body_without_a_length_ends_with_the_connection) {
  expect_for_every_split<false>("HTTP/1.1 200 OK\r\n\r\nhello world",
                                {"hello world", "", "", true, false});
  expect_for_every_split<false>("HTTP/1.0 200 OK\r\n\r\n", {"", "", "", true, false});
}

TEST(message_reader, reads_chunks) {
  expect_for_every_split<true>(chunked_request + "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /",
                               {"hello world", "", "GET /", true, false});
  expect_for_every_split<true>(chunked_request + "0\r\n\r\nGET /", {"", "", "GET /", true, false});
  expect_for_every_split<false>(chunked_answer + "000a\r\n0123456789\r\n00\r\n\r\n",
                                {"0123456789", "", "", true, false});
  expect_for_every_split<false>(
      chunked_answer + "A\r\n0123456789\r\n1\r\n\r\r\n2\r\n\r\n\r\n0\r\n\r\n",
      {"0123456789\r\r\n", "", "", true, false});
}

TEST(message_reader, drops_chunk_extensions) {
  expect_for_every_split<true>(
      chunked_request + "5;a=b\r\nhello\r\n1 ; name=\"quo\\\"ted\";x\r\n!\r\n0;last\r\n\r\n",
      {"hello!", "", "", true, false});
}

TEST(message_reader, keeps_trailers_apart) {
  expect_for_every_split<true>(
      chunked_request + "2\r\nhi\r\n0\r\nX-Checksum: 12 \r\nx-other:3\r\n\r\nGET /",
      {"hi", "X-Checksum=12;x-other=3;", "GET /", true, false});
}

// They are kept as long as the message, and no memory is counted for them.
TEST(message_reader, keeps_few_trailers) {
  const auto trailers = [](std::size_t fields, std::size_t bytes) {
    std::string out;
    for (std::size_t i = 0; i < fields; ++i) out += "a:" + std::string(bytes - 1, 'b') + "\r\n";
    return out + "\r\n";
  };
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  for (const auto& [fields, bytes, fits] :
       {std::tuple{32, 128, true}, std::tuple{33, 1, false}, std::tuple{32, 129, false},
        std::tuple{16'000, 1, false}, std::tuple{1, 4'096, true}, std::tuple{1, 4'097, false}}) {
    const auto all = trailers(fields, bytes);
    const auto asked = read_in_pieces<true>(chunked_request + "0\r\n" + all, {});
    EXPECT_EQ(asked.failed, !fits) << fields << " of " << bytes;
    const auto answered = read_in_pieces<false>(head + all, {});
    EXPECT_TRUE(answered.done);
    EXPECT_LE(answered.trailers.size(), 32 * 2 + 4'096);
  }
}

TEST(message_reader, some_answers_have_no_body_whatever_they_announce) {
  const std::string next = "HTTP/1.1 200";
  for (const std::string framing :
       {"", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
    for (const std::string status :
         {"204 No Content", "304 Not Modified", "100 Continue", "103 Early"}) {
      expect_for_every_split<false>("HTTP/1.1 " + status + "\r\n" + framing + "\r\n" + next,
                                    {"", "", next, true, false});
    }
    expect_for_every_split<false>("HTTP/1.1 200 OK\r\n" + framing + "\r\n" + next,
                                  {"", "", next, true, false}, true);
  }
}

TEST(message_reader, knows_the_length_that_an_answer_to_head_would_have) {
  response_reader reader;
  ASSERT_FALSE(reader.read_head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true));
  EXPECT_EQ(reader.body_framing(), framing::none);
  EXPECT_EQ(reader.content_length(), 5u);
  EXPECT_TRUE(reader.keep_alive());
}

// --- malformed chunks ----------------------------------------------------------------------------

TEST(message_reader, refuses_malformed_chunks_however_they_are_cut) {
  for (const std::string& body :
       {"\r\n"s, ";\r\n"s, "x\r\n"s, "0x5\r\nhello\r\n0\r\n\r\n"s, "+5\r\nhello\r\n0\r\n\r\n"s,
        "-5\r\nhello\r\n0\r\n\r\n"s, " 5\r\nhello\r\n0\r\n\r\n"s, "5 \r\nhello\r\n0\r\n\r\n"s,
        "5 6\r\nhello\r\n0\r\n\r\n"s, "5,5\r\nhello\r\n0\r\n\r\n"s, "5h\r\nhello\r\n0\r\n\r\n"s,
        "5\nhello\r\n0\r\n\r\n"s, "5\rhello\r\n0\r\n\r\n"s, "5\r\nhello0\r\n\r\n"s,
        "5\r\nhelloworld\r\n0\r\n\r\n"s, "5\r\nhello\n0\r\n\r\n"s, "5\r\nhel\r\n0\r\n\r\n"s,
        "5;\r\nhello\r\n0\r\n\r\n"s, "5;=\r\nhello\r\n0\r\n\r\n"s, "5;a\nb\r\nhello\r\n0\r\n\r\n"s,
        "5;a=\"\r\nhello\"\r\n0\r\n\r\n"s, "5\0\r\nhello\r\n0\r\n\r\n"s,
        // sizes beyond 64 bits, including those that would be small modulo 2^64
        "10000000000000005\r\nhello\r\n0\r\n\r\n"s, "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"s,
        // trailers
        "0\r\nA : b\r\n\r\n"s, "0\r\n: b\r\n\r\n"s, "0\r\nA\r\n\r\n"s, "0\r\nA: \x01\r\n\r\n"s,
        "0\r\nA: b\n\r\n\r\n"s, "0\nA: b\r\n\r\n"s, "0\r\nContent-Length: 5\r\n\r\n"s,
        "0\r\nTransfer-Encoding: chunked\r\n\r\n"s}) {
    SCOPED_TRACE(testing::PrintToString(body));
    const auto message = chunked_request + body;
    EXPECT_TRUE(read_in_pieces<true>(message, {}).failed);
    for (std::size_t at = 0; at <= body.size(); ++at) {
      EXPECT_TRUE(read_in_pieces<true>(message, {at}).failed) << "cut at " << at;
    }
  }
}

// A chunk header without an end fills the buffer, and then the caller gives up: memory stays
// bounded.
TEST(message_reader, an_endless_chunk_header_is_never_consumed) {
  for (const std::string& begin : {"5;"s, std::string(100, '0'), "5;a=\""s, "0\r\nA: "s}) {
    request_reader reader;
    ASSERT_FALSE(reader.read_head(chunked_request));
    byte_buffer buffer;
    append(buffer, begin);
    for (int i = 0; i < 20 && buffer.size() < limit; ++i) {
      append(buffer, std::string(4096, begin[0] == '0' && begin[1] == '0' ? '0' : 'a'));
      const auto found = reader.decode(buffer);
      ASSERT_FALSE(found.error);
      ASSERT_EQ(found.consumed, 0u);
    }
    EXPECT_EQ(buffer.size(), limit);
  }
}

// --- any message, split anywhere -----------------------------------------------------------------

class message_maker {
 public:
  explicit message_maker(unsigned seed) : random_{seed} {}

  std::size_t below(std::size_t n) { return random_() % n; }

  std::string text(std::size_t size) {
    std::string out;
    for (std::size_t i = 0; i < size; ++i) out += "ab\r\n0;:\x80"[below(8)];
    return out;
  }

  std::string chunk(std::string_view body) {
    char size[32];
    std::snprintf(size, sizeof size, below(2) == 0 ? "%zx" : "%05zX", body.size());
    static constexpr std::string_view extensions[] = {"", "", ";a", ";a=b", " ; a = \"c;\\\"\""};
    return std::string{size}
        .append(extensions[below(5)])
        .append("\r\n")
        .append(body)
        .append("\r\n");
  }

 private:
  std::mt19937 random_;
};

TEST(message_reader, reads_any_chunked_message_alike_in_any_pieces) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    message_maker make{seed};
    reading expected{"", "", "GET / HTTP/1.1\r\n", true, false};
    std::string message = chunked_answer;
    for (std::size_t chunks = make.below(8); chunks > 0; --chunks) {
      const auto piece = make.text(1 + make.below(make.below(4) == 0 ? 5000 : 20));
      expected.body += piece;
      message += make.chunk(piece);
    }
    message += "0\r\n";
    for (std::size_t trailers = make.below(3); trailers > 0; --trailers) {
      message += "T: v\r\n";
      expected.trailers += "T=v;";
    }
    message += "\r\n" + expected.rest;
    for (int round = 0; round < 5; ++round) {
      std::vector<std::size_t> cuts(make.below(20));
      for (auto& cut : cuts) cut = make.below(message.size() - chunked_answer.size());
      std::sort(cuts.begin(), cuts.end());
      ASSERT_EQ(read_in_pieces<false>(message, cuts), expected);
    }
  }
}

}  // namespace
}  // namespace tollgate::proxy
