#include <chrono>

#include "deploy/sample_upstream/handlers.hpp"
#include "deploy/sample_upstream/json.hpp"

namespace tollgate::sample_upstream {

namespace {

constexpr std::string_view created = R"("created":1700000000)";

// The monotonic clock is the same for all processes of a machine, so a test that reads a chunk can
// compute its delay.
std::string sent_at() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

std::string chunk(const std::string& model, std::string_view delta, std::string_view finish) {
  std::string text = R"(data: {"id":"chatcmpl-sample","object":"chat.completion.chunk",)";
  text.append(created).append(R"(,"model":)").append(json_string(model));
  text.append(R"(,"sample_sent_us":)").append(sent_at());
  text.append(R"(,"choices":[{"index":0,"delta":)").append(delta);
  return text.append(R"(,"finish_reason":)").append(finish).append("}]}\n\n");
}

task<> stream_chat(exchange& x, const std::string& model) {
  co_await x.begin_stream("text/event-stream");
  for (std::uint64_t i = 0; i < x.asked().chunks; ++i) {
    co_await x.pace();
    co_await x.stream(chunk(
        model, R"({"role":"assistant","content":"word)" + std::to_string(i) + R"( "})", "null"));
  }
  co_await x.pace();
  co_await x.stream(chunk(model, "{}", R"("stop")"));
  co_await x.stream("data: [DONE]\n\n");
  co_await x.end_stream();
}

}  // namespace

task<> refuse(exchange& x, std::string_view message) {
  std::string body = R"({"error":{"message":)" + json_string(message);
  body += R"(,"type":"invalid_request_error","param":null,"code":null}})";
  co_await x.reply(400, "application/json", std::move(body));
}

task<> chat_completions(exchange& x) {
  const auto fields = read_fields(co_await x.read_text());
  if (!fields) {
    co_await refuse(x, no_json_object);
  } else if (fields->stream) {
    co_await stream_chat(x, fields->model);
  } else {
    std::string body = R"({"id":"chatcmpl-sample","object":"chat.completion",)";
    body.append(created).append(R"(,"model":)").append(json_string(fields->model));
    body.append(R"(,"choices":[{"index":0,"message":{"role":"assistant","content":"Hello from the )"
                R"(sample upstream.","refusal":null},"logprobs":null,"finish_reason":"stop"}],)"
                R"("usage":{"prompt_tokens":9,"completion_tokens":6,"total_tokens":15}})");
    co_await x.reply_json(std::move(body));
  }
}

task<> embeddings(exchange& x) {
  const auto fields = read_fields(co_await x.read_text());
  if (!fields) {
    co_await refuse(x, no_json_object);
    co_return;
  }
  // Four zero floats, in the SDK's format (base64) or curl's.
  const auto vector = fields->base64_embeddings ? R"("AAAAAAAAAAAAAAAAAAAAAA==")" : "[0,0,0,0]";
  std::string body = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < fields->inputs; ++i) {
    if (i > 0) body += ',';
    body.append(R"({"object":"embedding","index":)").append(std::to_string(i));
    body.append(R"(,"embedding":)").append(vector).append("}");
  }
  body.append(R"(],"model":)").append(json_string(fields->model));
  co_await x.reply_json(body.append(R"(,"usage":{"prompt_tokens":4,"total_tokens":4}})"));
}

task<> models(exchange& x) {
  const bool anthropic = !x.header("anthropic-version").empty();
  std::string body = R"({"object":"list","has_more":false,"data":[)";
  for (const std::string name : {"gpt-4", "gpt-3.5-turbo", "claude-sonnet-4"}) {
    if (!body.ends_with('[')) body += ',';
    body.append(R"({"id":)").append(json_string(name));
    body.append(anthropic
                    ? R"(,"type":"model","display_name":)" + json_string(name) +
                          R"(,"created_at":"2023-11-14T22:13:20Z"})"
                    : R"(,"object":"model",)" + std::string{created} + R"(,"owned_by":"sample"})");
  }
  co_await x.reply_json(body + R"(],"first_id":"gpt-4","last_id":"claude-sonnet-4"})");
}

// Uploads are counted and discarded: memory does not depend on their size.
task<> files(exchange& x) {
  if (x.method() == "GET" && x.path() == "/v1/files") {
    co_await x.reply_json(R"({"object":"list","data":[],"has_more":false})");
    co_return;
  }
  const auto body = co_await x.digest_body();
  co_await x.reply_json(R"({"id":"file-sample","object":"file","bytes":)" +
                        std::to_string(body.bytes) + "," + std::string{created} +
                        R"(,"filename":"upload","purpose":"assistants","status":"processed"})");
}

}  // namespace tollgate::sample_upstream
