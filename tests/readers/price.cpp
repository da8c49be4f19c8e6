// What Tollgate reads of bodies, for tests/readers: cases on standard input, an answer a line on
// standard output. See README.md for the form of both.
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>

#include "routes/audio_tap.hpp"
#include "routes/classify.hpp"
#include "routes/readers/multipart.hpp"

namespace {

using namespace tollgate;
using namespace tollgate::routes;

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += {digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

std::optional<std::string> read_block() {
  std::string length(4, '\0');
  if (!std::cin.read(length.data(), 4)) return {};
  std::size_t size = 0;
  for (const char c : length) size = size << 8 | static_cast<unsigned char>(c);
  std::string out(size, '\0');
  if (!std::cin.read(out.data(), static_cast<std::streamsize>(size))) return {};
  return out;
}

route_settings route(std::string name, std::string path, std::string model) {
  route_settings out;
  out.name = name;
  out.rate = std::move(name);
  out.upstream = "u";
  out.action = "a";
  out.match.methods = {"POST"};
  out.match.path = std::move(path);
  if (!model.empty()) out.match.json = {{"/model", {std::move(model)}}};
  return out;
}

route_table table() {
  const auto credits = [](std::int64_t whole) { return quota::credits::from_whole(whole); };
  quota::rate dear{"dear", credits(10)}, cheap{"cheap", credits(2)};
  dear.times = cheap.times = {"/n", "/best_of"};
  const quota::rate query{"query", credits(1), quota::unit::query};
  auto search = route("query", "/query", "");
  search.count = "/queries";
  auto built = route_table::build(
      {route("dear", "/chat", "gpt-4*"), route("cheap", "/chat", "gpt-3.5*"), search},
      {dear, cheap, query});
  return std::get<route_table>(std::move(built));
}

// What a call to that path costs, or that it is refused, and the type that goes up.
std::string price_json(const route_table& routes, const std::string& path, const std::string& type,
                       const std::string& body, const std::string& coding = "") {
  const std::vector<header_view> headers{
      {"host", "x"}, {"content-type", type}, {"content-encoding", coding}};
  const request_view request{"POST", path, headers};
  const auto target = std::get<clean_target>(read_target(request));
  auto found = routes.classify(request, target);
  if (std::holds_alternative<needs_body>(found)) found = routes.classify(request, target, &body);
  const auto* priced = std::get_if<classified>(&found);
  if (priced == nullptr) return "null";
  return R"({"route":")" + priced->matched->settings.name + R"(","model":")" + hex(priced->model) +
         R"(","units":)" + std::to_string(priced->estimated.amount) + R"(,"type":")" +
         hex(priced->content_type) + "\"}";
}

struct collected final : readers::sink {
  std::string bytes;
  void write(std::string_view piece) override { bytes += piece; }
  void finish() override {}
};

std::string price_form(const std::string& type, const std::string& body) {
  const auto sent = audio_tap{{}, {type, "", false, true}}.content_type();
  collected audio;
  readers::multipart form{readers::boundary_of(sent), {"file", {}}, audio};
  form.write(body);
  form.finish();
  if (form.problem() != readers::fault::none) return "null";
  return R"({"file":")" + hex(audio.bytes) + R"(","type":")" + hex(sent) + "\"}";
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  const auto routes = table();
  while (const auto kind = read_block()) {
    const auto type = read_block(), body = read_block();
    if (!type || !body) return 1;
    if (*kind == "coded")  // the type is the coding
      std::cout << R"({"chat":)" << price_json(routes, "/chat", "application/json", *body, *type)
                << "}" << std::endl;
    else if (*kind == "form")
      std::cout << R"({"form":)" << price_form(*type, *body) << "}" << std::endl;
    else
      std::cout << R"({"chat":)" << price_json(routes, "/chat", *type, *body) << R"(,"query":)"
                << price_json(routes, "/query", *type, *body) << "}" << std::endl;
  }
}
