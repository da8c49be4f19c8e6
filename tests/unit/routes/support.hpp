// Short notations for requests and routes, for the tests in this directory.
#pragma once

#include <initializer_list>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "routes/classify.hpp"

namespace tollgate::routes {

// A request head that owns its text.
class head {
 public:
  head(std::string method, std::string target,
       std::vector<std::pair<std::string, std::string>> headers = {})
      : method_{std::move(method)}, target_{std::move(target)}, texts_{std::move(headers)} {
    for (const auto& [name, value] : texts_) views_.push_back({name, value});
  }
  head(const head&) = delete;
  request_view view() const { return {method_, target_, views_}; }

 private:
  std::string method_, target_;
  std::vector<std::pair<std::string, std::string>> texts_;
  std::vector<header_view> views_;
};

inline quota::rate rate_of(std::string name, std::int64_t micro,
                           quota::unit per = quota::unit::request,
                           quota::meter_kind meter = quota::meter_kind::none) {
  return {std::move(name), quota::credits::from_micro(micro), per, meter, 1'000'000};
}

// The rate card of the platform that Tollgate is first built for.
inline std::vector<quota::rate> rate_card() {
  return {rate_of("gpt-4", 10'000'000),
          rate_of("claude", 8'000'000),
          rate_of("gpt-3.5", 2'000'000),
          rate_of("tts", 5'000'000, quota::unit::minute, quota::meter_kind::response_audio),
          rate_of("stt", 3'000'000, quota::unit::minute, quota::meter_kind::request_audio),
          rate_of("query", 1'000'000, quota::unit::query),
          rate_of("api", 100'000),
          rate_of("free", 0)};
}

// A route under construction: `on("chat", "gpt-4").post("/v1/chat/completions").json("/model",
// {"x"})`.
struct on : route_settings {
  on(std::string route_name, std::string rate_name) {
    name = std::move(route_name);
    rate = std::move(rate_name);
    upstream = "u";
    action = "a";
  }
  on& path(std::string pattern) {
    match.path = std::move(pattern);
    return *this;
  }
  on& methods(std::vector<std::string> names) {
    match.methods = std::move(names);
    return *this;
  }
  on& post(std::string pattern) { return methods({"POST"}).path(std::move(pattern)); }
  on& get(std::string pattern) { return methods({"GET"}).path(std::move(pattern)); }
  on& hosts(globs values) {
    match.hosts = std::move(values);
    return *this;
  }
  on& header(std::string what, globs values) {
    match.headers.emplace_back(std::move(what), std::move(values));
    return *this;
  }
  on& query(std::string what, globs values) {
    match.query.emplace_back(std::move(what), std::move(values));
    return *this;
  }
  on& type(globs values) {
    match.content_types = std::move(values);
    return *this;
  }
  on& json(std::string where, globs values) {
    match.json.emplace_back(std::move(where), std::move(values));
    return *this;
  }
  on& counting(std::string where) {
    count = std::move(where);
    return *this;
  }
  on& named_model(std::string text) {
    model = std::move(text);
    return *this;
  }
  on& critically() {
    critical = true;
    return *this;
  }
  on& shadowed() {
    shadow = true;
    return *this;
  }
  on& line(int number) {
    at = {number, 5};
    return *this;
  }
};

inline route_table table_of(std::vector<route_settings> routes) {
  auto built = route_table::build(routes, rate_card());
  if (const auto* wrong = std::get_if<std::vector<route_error>>(&built))
    throw std::logic_error{wrong->front().message};
  return std::get<route_table>(std::move(built));
}

inline std::vector<std::string> mistakes_of(std::vector<route_settings> routes) {
  auto built = route_table::build(routes, rate_card());
  std::vector<std::string> out;
  if (const auto* wrong = std::get_if<std::vector<route_error>>(&built))
    for (const auto& mistake : *wrong)
      out.push_back(std::to_string(mistake.at.line) + ": " + mistake.message);
  return out;
}

// The result of a request as one word: the route's name, a problem's code, or "body?" if the table
// needs the body and `body` is null.
inline std::string outcome_of(const route_table& table, const request_view& request,
                              const std::string* body = nullptr,
                              std::vector<mismatch>* why = nullptr) {
  const auto target = read_target(request);
  if (const auto* refused = std::get_if<problem>(&target))
    return std::string{to_string(refused->code)};
  const auto& clean = std::get<clean_target>(target);
  auto result = table.classify(request, clean, nullptr, why);
  if (std::holds_alternative<needs_body>(result)) {
    if (body == nullptr) return "body?";
    result = table.classify(request, clean, body, why);
  }
  if (const auto* refused = std::get_if<problem>(&result))
    return std::string{to_string(refused->code)};
  const auto* found = std::get_if<classified>(&result);
  return found != nullptr ? found->matched->settings.name : "asked for the body twice";
}

}  // namespace tollgate::routes
