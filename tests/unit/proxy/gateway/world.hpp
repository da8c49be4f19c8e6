// Shared by the tests of the data plane: a configuration, a customer, and the texts that a client
// and an upstream send.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "config/load.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/run_task.hpp"

namespace tollgate::proxy {

using namespace quota::literals;
using namespace std::chrono_literals;

inline const std::string test_configuration = R"yaml(
upstreams:
  up: { url: "http://127.0.0.1:9" }
rates:
  gpt-4: { credits: 10, per: request }
  api: { credits: 0.1, per: request }
  tts: { credits: 60, per: minute, meter: response_audio, increment: 1s }
  stt: { credits: 60, per: minute, meter: request_audio, increment: 1s }
routes:
  - { name: chat, match: { method: POST, path: /v1/chat/completions, json: { model: "gpt-4*" } },
      upstream: up, action: llm, rate: gpt-4 }
  - { name: speech, match: { method: POST, path: /v1/audio/speech }, upstream: up, action: tts,
      rate: tts, audio: { estimate: { at_least: 2s, at_most: 2s }, on_exhausted: cut } }
  - { name: transcription, match: { method: POST, path: /v1/audio/transcriptions }, upstream: up,
      action: stt, rate: stt }
  - { name: socket, match: { path: /ws }, upstream: up, action: api, rate: api }
  - { name: critical, match: { path: /critical/** }, upstream: up, action: api, rate: gpt-4,
      critical: true }
  - { name: api, match: { path: "/v1/agents/{agent}/**" }, upstream: up, action: api, rate: api }
plans:
  starter: { credits: 20000, overage_usd: 0.02, top_up_minimum_usd: 10 }
)yaml";

inline std::shared_ptr<const config::configuration> load_configuration(const std::string& yaml) {
  auto loaded = config::load_text(yaml, "test.yaml",
                                  [](const std::string&) { return std::optional<std::string>{}; });
  if (auto* errors = std::get_if<std::vector<config::config_error>>(&loaded)) {
    throw std::runtime_error{to_string(errors->front())};
  }
  return std::make_shared<const config::configuration>(
      std::get<config::configuration>(std::move(loaded)));
}

inline void add_customer(tests::memory_store& store, const quota::org_id& org,
                         const std::string& key, quota::credits credits) {
  quota::organization_change change;
  change.plan = "starter";
  tests::run_task(store.change(org, change));
  tests::run_task(store.add_key(org, {"key_" + org, {}, {}, {}}, quota::hash_key(key)));
  if (credits == quota::credits{}) return;
  const quota::operation grant = quota::grant{"start-" + org, credits, "purchase", {}};
  tests::run_task(store.apply(org, grant));
}

// Opens a top-up that nobody delivers.
inline void need_top_up(tests::memory_store& store, const quota::org_id& org) {
  const quota::plan_terms terms{"starter", 20'000_credits, 0, 0, 20'000, 1'000, 0, 0};
  quota::account_options options;
  options.top_up_threshold = 30'000_credits;
  const quota::operation configure = quota::configure{terms, true, options, 0};
  tests::run_task(store.apply(org, configure));
  tests::run_task(store.apply(org, quota::expire_holds{}));  // processes everything due
}

inline std::string chat(std::string more_fields = {}) {
  const std::string body = R"({"model":"gpt-4o","messages":[]})";
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
         "Content-Type: application/json\r\n" +
         more_fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
inline std::string get(const std::string& path, std::string more_fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n" +
         more_fields + "\r\n";
}
inline std::string ok(const std::string& body, std::string more_fields = {}) {
  return "HTTP/1.1 200 OK\r\n" + more_fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace tollgate::proxy
