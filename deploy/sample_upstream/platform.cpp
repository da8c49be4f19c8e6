#include "deploy/sample_upstream/handlers.hpp"
#include "deploy/sample_upstream/json.hpp"

namespace tollgate::sample_upstream {

namespace {

// "/v1/agents/a1" -> "a1"; "/v1/agents" -> "".
std::string_view id_in(std::string_view path) {
  path.remove_prefix(std::string_view{"/v1/"}.size());
  const auto slash = path.find('/');
  return slash == path.npos ? std::string_view{} : path.substr(slash + 1);
}

}  // namespace

task<> knowledge_query(exchange& x) {
  const auto text = co_await x.read_text();
  const auto fields = read_fields(text).value_or(request_fields{});
  std::string body = R"({"success":true,"data":{"results":[)";
  for (std::size_t i = 0; i < fields.queries; ++i) {
    if (i > 0) body += ',';
    body += R"([{"document":"doc-1","score":0.93,"text":"A passage."}])";
  }
  co_await x.reply_json(body + "]}}");
}

task<> resources(exchange& x) {
  co_await x.digest_body();
  const auto id = id_in(x.path());
  const auto one = R"({"id":)" + json_string(id.empty() ? "sample-1" : id) + R"(,"name":"Sample"})";
  if (x.method() == "DELETE") {
    co_await x.reply(204, {}, {});
  } else if (x.method() == "GET" && id.empty()) {
    co_await x.reply_json(R"({"success":true,"data":[)" + one + "]}");
  } else {
    const auto status = x.method() == "POST" && id.empty() ? 201 : 200;
    co_await x.reply(status, "application/json", R"({"success":true,"data":)" + one + "}");
  }
}

}  // namespace tollgate::sample_upstream
