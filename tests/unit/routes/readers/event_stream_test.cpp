#include "routes/readers/event_stream.hpp"

#include "tests/unit/routes/readers/support.hpp"

namespace tollgate::routes::readers {
namespace {

outcome read(std::string_view body, std::string type = "speech.audio.delta") {
  const event_stream_settings settings{std::move(type),
                                       std::get<json_pointer>(json_pointer::parse("/audio"))};
  return read_body([&](sink& to) { return std::make_unique<event_stream>(settings, to); }, body);
}
outcome audio(std::string bytes) {
  return {fault::none, std::move(bytes)};
}

const std::string delta = "data: {\"type\":\"speech.audio.delta\",\"audio\":\"Zm9vYg==\"}\n\n";

TEST(event_stream, joins_the_audio_of_all_events) {
  EXPECT_EQ(read(delta + delta + "data: {\"type\":\"speech.audio.done\",\"usage\":{}}\n\n"),
            audio("foobfoob"));
  EXPECT_EQ(read(delta + "data: [DONE]\n\n"), audio("foob"));
}

TEST(event_stream, reads_lines_as_the_standard_says) {
  for (const std::string end : {"\n", "\r", "\r\n"})
    EXPECT_EQ(
        read("\xEF\xBB\xBF: a comment" + end + "id: 7" + end + "retry" + end + "data:{" + end +
             "data: \"audio\"" + end + "data" + end + "data: : \"Zm9v\" }" + end + end + end),
        audio("foo"));
  EXPECT_EQ(read("dat: {\"audio\":\"Zm9v\"}\n\ndataa: {\"audio\":\"Zm9v\"}\n\n" + delta),
            audio("foob"));
  EXPECT_EQ(read("\xEF\xBB" + delta).problem, fault::missing);
}

TEST(event_stream, counts_events_of_the_type_only) {
  const std::string other = "data: {\"type\":\"speech.audio.preview\",\"audio\":\"Zm9v\"}\n\n";
  EXPECT_EQ(read(other + delta), audio("foob"));
  EXPECT_EQ(read(other).problem, fault::missing);
  EXPECT_EQ(read(other, ""), audio("foo"));
  EXPECT_EQ(read("event: speech.audio.delta\ndata: {\"audio\":\"Zm9v\"}\n\n"), audio("foo"));
  EXPECT_EQ(read("event: speech.audio.delta.x\ndata: {\"audio\":\"Zm9v\"}\n\n" + delta),
            audio("foob"));
  // An event does not inherit the name of the one before.
  EXPECT_EQ(read("event: other\n\ndata: {\"audio\":\"Zm9v\"}\n\n"), audio("foo"));
  // The member takes precedence over the field.
  EXPECT_EQ(read("event: message\n" + delta), audio("foob"));
}

TEST(event_stream, counts_audio_that_comes_before_its_type) {
  EXPECT_EQ(read("data: {\"audio\":\"Zm9v\",\"type\":\"speech.audio.delta\"}\n\n"), audio("foo"));
  EXPECT_EQ(read("data: {\"audio\":\"Zm9v\",\"type\":\"other\"}\n\n"), audio("foo"));
  EXPECT_EQ(read("event: other\ndata: {\"audio\":\"Zm9v\",\"type\":\"other\"}\n\n" + delta),
            audio("foob"));
}

TEST(event_stream, finds_faults) {
  EXPECT_EQ(read("").problem, fault::missing);
  EXPECT_EQ(read("data: {\"audio\":null}\n\n").problem, fault::missing);
  EXPECT_EQ(read("data: {\"audio\":\"Zm9v\",\"audio\":\"Zm9v\"}\n\n").problem, fault::ambiguous);
  EXPECT_EQ(read("data: {\"audio\":\"Zm9v\"\n\n" + delta), (outcome{fault::malformed, "foo"}));
  EXPECT_EQ(read("data: {\"audio\":\"Zm9\n\n" + delta), (outcome{fault::malformed, ""}));
  EXPECT_EQ(read("data: {\"audio\":\"Z\"}\n\n").problem, fault::malformed);
  EXPECT_EQ(read("data: {\"audio\":\"Zm9vZm9"), (outcome{fault::truncated, "foo"}));
  EXPECT_EQ(read("data: {\"audio\":\"Zm9v\"}"), audio("foo"));
}

TEST(event_stream, takes_data_of_any_length) {
  const auto bytes = random_bytes(30'000);
  EXPECT_EQ(read("data: {\"audio\":\"" + to_base64(bytes) + "\"}\r\n\r\n"), audio(bytes));
}

}  // namespace
}  // namespace tollgate::routes::readers
