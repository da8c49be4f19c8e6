// Two answers about a table: what the conditions of single routes say one by one, and what the
// table says. And a third: no request for the chat endpoint is ever taken by the cheap catch-all.
#include <algorithm>
#include <optional>

#include "routes/classify.hpp"
#include "routes/normal_path.hpp"
#include "routes/path_pattern.hpp"
#include "routes/text.hpp"
#include "tests/fuzz/input.hpp"

using namespace tollgate;
using namespace tollgate::routes;
using fuzz::require;

namespace {

route_settings route_to(std::string name, std::string rate, std::string path) {
  route_settings out;
  out.name = std::move(name);
  out.rate = std::move(rate);
  out.match.path = std::move(path);
  return out;
}

quota::rate rate_of(std::string name, std::int64_t whole) {
  return {std::move(name), quota::credits::from_whole(whole), quota::unit::request,
          quota::meter_kind::none, 1'000'000};
}

const route_table& fixed_table() {
  static const route_table table = [] {
    auto chat = route_to("chat", "dear", "/v1/chat/completions");
    chat.match.methods = {"POST"};
    chat.match.json = {{"/model", {"gpt-4*"}}};
    auto agents = route_to("agents", "cheap", "/v1/agents/{agent}/**");
    auto search = route_to("search", "cheap", "/v1/search");
    search.match.query = {{"mode", {"fast*"}}};
    search.match.headers = {{"x-tier", {"gold"}}};
    auto built = route_table::build(
        {chat, agents, search, route_to("model", "cheap", "/v1/m/{m}"),
         route_to("run", "dear", "/v1/m/{m}/run"), route_to("rest", "cheap", "/v1/**")},
        {rate_of("dear", 10), rate_of("cheap", 1)});
    return std::get<route_table>(std::move(built));
  }();
  return table;
}

// Where a server that decodes once and ignores letter case, path parameters and a last slash would
// send it.
std::string as_seen(std::string_view path) {
  auto seen = fold(percent_decode(path));
  if (seen.ends_with('/')) seen.pop_back();
  return seen;
}

bool looks_like_run(std::string_view path) {
  const auto seen = as_seen(path);
  return seen.starts_with("/v1/m/") && seen.ends_with("/run") &&
         std::count(seen.begin(), seen.end(), '/') == 4;
}

void check_fixed_table(const request_view& request, const clean_target& target,
                       const std::string& body) {
  auto result = fixed_table().classify(request, target);
  if (std::holds_alternative<needs_body>(result)) {
    result = fixed_table().classify(request, target, &body);
    require(!std::holds_alternative<needs_body>(result), "the body is asked for once");
  }
  const auto* found = std::get_if<classified>(&result);
  if (found == nullptr) return;
  if (request.method == "POST" && as_seen(target.path) == "/v1/chat/completions")
    require(found->matched->settings.name == "chat", "a chat is taken for a chat");
  if (looks_like_run(target.path))
    require(found->matched->settings.name == "run", "a run is taken for a run, in every reading");
  require(found->agent.size() <= 256 && found->model.size() <= 256, "attribution is bounded");
  require(found->estimated.amount == 1, "a request is one request");
  const auto least = fixed_table().least(request, target);
  require(least.cheapest != nullptr, "a call that a route takes has a least price");
  require(quota::price(least.cheapest->price_at, least.estimated) <=
              quota::price(found->matched->price_at, found->estimated),
          "no call costs less than the least");
}

void check_patterns(std::string_view first, std::string_view second, const clean_target& target) {
  const auto a = path_pattern::parse(first), b = path_pattern::parse(second);
  const auto* wide = std::get_if<path_pattern>(&a);
  const auto* narrow = std::get_if<path_pattern>(&b);
  if (wide == nullptr || narrow == nullptr) return;
  const path_segments path{target.path};
  path_pattern::captures unused;
  const bool in_wide = wide->match(path, unused) != path_fit::none;
  const bool in_narrow = narrow->match(path, unused) != path_fit::none;
  if (wide->covers(*narrow)) require(in_wide || !in_narrow, "covers is sound");
  if (!wide->overlaps(*narrow)) require(!in_wide || !in_narrow, "overlaps is sound");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in{data, size};
  const auto method = in.line(), target = in.line();
  const auto first_pattern = in.line(), second_pattern = in.line();
  const header_view headers[]{{"host", "h"}, {"content-type", in.line()}, {"x-tier", in.line()}};
  // An upgrade never takes the cheap catch-all of the chat endpoint.
  const request_view upgrade{"GET", target, headers, true};
  const request_view request{method, target, headers};
  const auto read = read_target(request);
  const auto* clean = std::get_if<clean_target>(&read);
  if (clean == nullptr || clean->path == "*") return 0;
  check_patterns(first_pattern, second_pattern, *clean);
  check_fixed_table(request, *clean, std::string{in.rest()});
  if (as_seen(clean->path) == "/v1/chat/completions")
    require(!std::holds_alternative<classified>(fixed_table().classify(upgrade, *clean)),
            "no WebSocket at the chat endpoint");
  return 0;
}
