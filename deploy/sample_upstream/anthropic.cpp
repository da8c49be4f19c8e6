#include "deploy/sample_upstream/handlers.hpp"
#include "deploy/sample_upstream/json.hpp"

namespace tollgate::sample_upstream {

namespace {

std::string event(std::string_view name, std::string_view data) {
  std::string text = "event: ";
  return text.append(name).append("\ndata: ").append(data).append("\n\n");
}

std::string message(const std::string& model, std::string_view content, std::string_view stop) {
  std::string text = R"({"id":"msg_sample","type":"message","role":"assistant","model":)";
  text.append(json_string(model)).append(R"(,"content":)").append(content);
  text.append(R"(,"stop_reason":)").append(stop);
  return text + R"(,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":6}})";
}

task<> send(exchange& x, std::string event) {
  co_await x.pace();
  co_await x.stream(std::move(event));
}

task<> stream_message(exchange& x, const std::string& model) {
  co_await x.begin_stream("text/event-stream");
  co_await send(x, event("message_start", R"({"type":"message_start","message":)" +
                                              message(model, "[]", "null") + "}"));
  co_await send(x, event("content_block_start", R"({"type":"content_block_start","index":0,)"
                                                R"("content_block":{"type":"text","text":""}})"));
  co_await send(x, event("ping", R"({"type":"ping"})"));
  for (std::uint64_t i = 0; i < x.asked().chunks; ++i) {
    co_await send(x, event("content_block_delta", R"({"type":"content_block_delta","index":0,)"
                                                  R"("delta":{"type":"text_delta","text":"word)" +
                                                      std::to_string(i) + R"( "}})"));
  }
  co_await send(x, event("content_block_stop", R"({"type":"content_block_stop","index":0})"));
  co_await send(
      x, event("message_delta", R"({"type":"message_delta","delta":{"stop_reason":"end_turn",)"
                                R"("stop_sequence":null},"usage":{"output_tokens":6}})"));
  co_await send(x, event("message_stop", R"({"type":"message_stop"})"));
  co_await x.end_stream();
}

}  // namespace

task<> messages(exchange& x) {
  const auto fields = read_fields(co_await x.read_text());
  if (!fields) {
    co_await x.reply(400, "application/json",
                     R"({"type":"error","error":{"type":"invalid_request_error",)"
                     R"("message":"The body is no JSON object."}})");
  } else if (fields->stream) {
    co_await stream_message(x, fields->model);
  } else {
    co_await x.reply_json(message(fields->model,
                                  R"([{"type":"text","text":"Hello from the sample upstream."}])",
                                  R"("end_turn")"));
  }
}

task<> count_tokens(exchange& x) {
  co_await x.digest_body();
  co_await x.reply_json(R"({"input_tokens":9})");
}

}  // namespace tollgate::sample_upstream
