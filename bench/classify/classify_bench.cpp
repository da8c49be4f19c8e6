// What does finding a request's route cost? Each case covers everything from the parsed head on:
// target, key, route, and the body if a route reads it.
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "routes/classify.hpp"
#include "routes/credential.hpp"

namespace tollgate::routes {
namespace {

route_settings route_to(std::string name, std::string method, std::string path, globs models = {}) {
  route_settings out;
  out.name = std::move(name);
  out.rate = "rate";
  out.match.methods = {std::move(method)};
  out.match.path = std::move(path);
  if (!models.empty()) out.match.json = {{"/model", std::move(models)}};
  return out;
}

// Structured like the shipped configuration, with `extra` more endpoints before the catch-all.
route_table table_with(int extra) {
  std::vector<route_settings> routes{
      route_to("gpt-4", "POST", "/v1/chat/completions", {"gpt-4*", "o1*"}),
      route_to("gpt-3.5", "POST", "/v1/chat/completions", {"gpt-3.5*"}),
      route_to("claude", "POST", "/v1/messages", {"claude-*"}),
      route_to("agents", "GET", "/v1/agents/{agent}/**")};
  for (int i = 0; i < extra; ++i)
    routes.push_back(route_to("extra-" + std::to_string(i), "GET",
                              "/v1/resource-" + std::to_string(i) + "/{id}/**"));
  routes.push_back(route_to("api", "GET", "/v1/**"));
  auto built =
      route_table::build(routes, {{"rate", quota::credits::from_whole(1), quota::unit::request,
                                   quota::meter_kind::none, 1'000'000}});
  if (const auto* wrong = std::get_if<std::vector<route_error>>(&built))
    throw std::logic_error{wrong->front().message};
  return std::get<route_table>(std::move(built));
}

const std::vector<header_view> sdk_headers{
    {"Host", "127.0.0.1:8080"},
    {"Accept", "application/json"},
    {"Content-Type", "application/json"},
    {"User-Agent", "OpenAI/JS 4.73.0"},
    {"X-Stainless-Lang", "js"},
    {"X-Stainless-Package-Version", "4.73.0"},
    {"X-Stainless-OS", "Linux"},
    {"X-Stainless-Arch", "x64"},
    {"X-Stainless-Runtime", "node"},
    {"X-Stainless-Runtime-Version", "v18.19.0"},
    {"Authorization", "Bearer tg_5f2b1c0d9e8a7f6b5c4d3e2f1a0b9c8d"},
    {"Content-Length", "180"},
    {"Accept-Encoding", "gzip,deflate"},
    {"Connection", "keep-alive"}};

std::string chat_body(std::size_t text_bytes) {
  return R"({"model":"gpt-3.5-turbo","messages":[{"role":"system","content":"You are helpful."},)"
         R"({"role":"user","content":")" +
         std::string(text_bytes, 'x') + R"("}],"temperature":0.7,"stream":true})";
}

void classify_once(const route_table& table, const request_view& request, const std::string* body) {
  const auto target = read_target(request);
  const auto& clean = std::get<clean_target>(target);
  auto key = read_credential(request);
  auto result = table.classify(request, clean);
  if (std::holds_alternative<needs_body>(result)) result = table.classify(request, clean, body);
  if (!std::holds_alternative<classified>(result)) throw std::logic_error{"no route"};
  benchmark::DoNotOptimize(key);
  benchmark::DoNotOptimize(result);
}

// Argument: bytes of the user's message.
void chat(benchmark::State& state) {
  const auto table = table_with(0);
  const request_view request{"POST", "/v1/chat/completions", sdk_headers};
  const auto body = chat_body(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) classify_once(table, request, &body);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(chat)->Arg(60)->Arg(4'000)->Arg(1'000'000);

// Argument: routes before the one that takes the call.
void plain_call(benchmark::State& state) {
  const auto table = table_with(static_cast<int>(state.range(0)));
  const request_view request{"GET", "/v1/models?limit=20", sdk_headers};
  for (auto _ : state) classify_once(table, request, nullptr);
}
BENCHMARK(plain_call)->Arg(0)->Arg(100);

void encoded_path(benchmark::State& state) {
  const auto table = table_with(0);
  const request_view request{"GET", "/v1//agents/caf%c3%a9/../%61gent-1/files?x=1", sdk_headers};
  for (auto _ : state) classify_once(table, request, nullptr);
}
BENCHMARK(encoded_path);

}  // namespace
}  // namespace tollgate::routes
