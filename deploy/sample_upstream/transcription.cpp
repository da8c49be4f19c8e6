#include "deploy/sample_upstream/handlers.hpp"
#include "deploy/sample_upstream/json.hpp"
#include "deploy/sample_upstream/multipart.hpp"

namespace tollgate::sample_upstream {

namespace {

constexpr std::string_view transcript = "Hello from the sample upstream.";
constexpr std::string_view plain_text = "text/plain; charset=utf-8";

struct upload {
  std::string response_format = "json";
  bool stream = false;
  std::uint64_t file_bytes = 0;
};

// A body that is not a form is the file itself, as in other speech APIs.
task<upload> read_raw(exchange& x) {
  upload got;
  got.file_bytes = (co_await x.digest_body()).bytes;
  co_return got;
}

// The fields may come after the file, so the answer is known only at the end. Empty for a form
// without a file.
task<std::optional<upload>> read_form(exchange& x, std::string boundary) {
  multipart_reader form{boundary};
  while (x.has_more()) {
    const auto piece = co_await x.read_piece();
    form.write(piece);
  }
  if (!form.is_complete() || !form.file_bytes()) co_return std::nullopt;
  upload got;
  got.file_bytes = *form.file_bytes();
  if (!form.field("response_format").empty()) got.response_format = form.field("response_format");
  got.stream = form.field("stream") == "true";
  co_return got;
}

std::string file_size(const upload& got) {
  return R"(,"sample_file_bytes":)" + std::to_string(got.file_bytes);
}

std::string as_json(const upload& got) {
  return R"({"text":)" + json_string(transcript) + file_size(got) + "}";
}

// Times and words are invented.
std::string as_verbose_json(const exchange& x, const upload& got) {
  const bool translates = x.path().ends_with("/translations");
  std::string body = R"({"task":)";
  body += translates ? R"("translate")" : R"("transcribe")";
  body.append(R"(,"language":"english","duration":1.5,"text":)").append(json_string(transcript));
  body +=
      R"(,"segments":[{"id":0,"seek":0,"start":0.0,"end":1.5,"text":)" + json_string(transcript);
  body += R"(,"tokens":[50364],"temperature":0.0,"avg_logprob":-0.3,"compression_ratio":0.8,)"
          R"("no_speech_prob":0.01}])";
  return body + file_size(got) + "}";
}

std::string as_srt() {
  return "1\n00:00:00,000 --> 00:00:01,500\n" + std::string{transcript} + "\n\n";
}

std::string as_vtt() {
  return "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n" + std::string{transcript} + "\n\n";
}

task<> stream_transcript(exchange& x, const upload& got) {
  co_await x.begin_stream("text/event-stream");
  std::string text;
  for (std::uint64_t i = 0; i < x.asked().chunks; ++i) {
    const auto word = "word" + std::to_string(i) + " ";
    text += word;
    co_await x.pace();
    co_await x.stream(R"(data: {"type":"transcript.text.delta","delta":)" + json_string(word) +
                      "}\n\n");
  }
  co_await x.pace();
  co_await x.stream(R"(data: {"type":"transcript.text.done","text":)" + json_string(text) +
                    file_size(got) + "}\n\n");
  co_await x.end_stream();
}

task<> answer(exchange& x, const upload& got) {
  const auto& format = got.response_format;
  if (got.stream) {
    co_await stream_transcript(x, got);
  } else if (format == "json") {
    co_await x.reply_json(as_json(got));
  } else if (format == "verbose_json") {
    co_await x.reply_json(as_verbose_json(x, got));
  } else if (format == "text") {
    co_await x.reply(200, plain_text, std::string{transcript} + "\n");
  } else if (format == "srt") {
    co_await x.reply(200, plain_text, as_srt());
  } else if (format == "vtt") {
    co_await x.reply(200, plain_text, as_vtt());
  } else {
    co_await refuse(x, "There is no such `response_format`.");
  }
}

}  // namespace

task<> transcription(exchange& x) {
  const auto boundary = multipart_boundary(x.header("content-type"));
  std::optional<upload> got;
  if (boundary.empty()) {
    got = co_await read_raw(x);
  } else {
    got = co_await read_form(x, boundary);
  }
  if (got) {
    co_await answer(x, *got);
  } else {
    co_await refuse(x, "The form is broken off, or has no part `file`.");
  }
}

}  // namespace tollgate::sample_upstream
