#include "deploy/sample_upstream/handlers.hpp"

#include "deploy/sample_upstream/json.hpp"

namespace tollgate::sample_upstream {

namespace {

struct endpoint {
  std::string_view method;  // empty: any
  std::string_view path;    // a trailing '*' matches anything
  task<> (*handler)(exchange&);
};

constexpr endpoint endpoints[] = {
    {"POST", "/v1/chat/completions", chat_completions},
    {"POST", "/v1/embeddings", embeddings},
    {"GET", "/v1/models*", models},
    {"", "/v1/files*", files},
    {"POST", "/v1/messages", messages},
    {"POST", "/v1/messages/count_tokens", count_tokens},
    {"POST", "/v1/audio/speech", speech},
    {"POST", "/v1/audio/*", transcription},
    {"GET", "/v1/realtime*", realtime},
    {"POST", "/v1/knowledge*", knowledge_query},
    {"", "/v1/*", resources},
    {"", "/sample/stats", stats},
    {"", "/sample/echo*", echo},
    {"", "/sample/sink", sink},
    {"", "/sample/bytes/*", bytes},
};

bool matches(const endpoint& e, const exchange& x) {
  if (!e.method.empty() && e.method != x.method()) return false;
  if (e.path.ends_with('*')) return x.path().starts_with(e.path.substr(0, e.path.size() - 1));
  return x.path() == e.path;
}

void count(exchange& x) {
  auto& counted = x.counted();
  ++counted.requests;
  const std::string path{x.path()};
  if (counted.by_path.contains(path) || counted.by_path.size() < statistics::max_paths) {
    ++counted.by_path[path];
  }
}

std::string failure(unsigned status) {
  const auto number = std::to_string(status);
  return R"({"type":"error","error":{"type":"sample_error","code":"sample_)" + number +
         R"(","message":"The sample upstream was asked to fail with )" + number +
         R"(.","param":null}})";
}

}  // namespace

task<> handle(exchange& x) {
  if (x.path() != "/sample/stats") count(x);
  if (x.asked().status) {
    co_await x.reply(*x.asked().status, "application/json", failure(*x.asked().status));
    co_return;
  }
  for (const auto& e : endpoints) {
    if (matches(e, x)) {
      co_await e.handler(x);
      co_return;
    }
  }
  co_await x.reply(404, "application/json",
                   R"({"error":{"type":"not_found","message":"No such endpoint: )" +
                       json_string(x.path()).substr(1) + "}}");
}

}  // namespace tollgate::sample_upstream
