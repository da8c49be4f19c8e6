// The sample platform's endpoints, one function each; `handle` chooses.
#pragma once

#include "deploy/sample_upstream/exchange.hpp"

namespace tollgate::sample_upstream {

task<> handle(exchange& x);

// openai.cpp
inline constexpr std::string_view no_json_object = "The body is no JSON object.";
task<> refuse(exchange& x, std::string_view message);  // 400, with OpenAI's wording
task<> chat_completions(exchange& x);
task<> embeddings(exchange& x);
task<> models(exchange& x);  // serves the OpenAI and the Anthropic SDK
task<> files(exchange& x);

// anthropic.cpp
task<> messages(exchange& x);
task<> count_tokens(exchange& x);

// speech.cpp
task<> speech(exchange& x);

// transcription.cpp
task<> transcription(exchange& x);

// platform.cpp
task<> knowledge_query(exchange& x);
task<> resources(exchange& x);  // agents, conversations, ...: create, read, update, delete

// probes.cpp: for tests
task<> stats(exchange& x);
task<> echo(exchange& x);
task<> sink(exchange& x);
task<> bytes(exchange& x);

// realtime.cpp
bool is_websocket(const exchange& x);
task<> realtime(exchange& x);

}  // namespace tollgate::sample_upstream
