#include "proxy/cli/explain.hpp"

#include <algorithm>
#include <iostream>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "config/load.hpp"
#include "proxy/cli/explain_report.hpp"
#include "proxy/cli/explain_request.hpp"
#include "routes/credential.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy {
namespace {

using routes::problem;
using routes::problem_code;

// The loader has checked that a route's names are declared.
template <class T>
const T& find_named(const std::vector<T>& all, const std::string& name) {
  return *std::find_if(all.begin(), all.end(), [&](const T& each) { return each.name == name; });
}

std::string origin_of(const config::upstream_settings& upstream) {
  if (!upstream.unix_path.empty()) return "http://unix:" + upstream.unix_path + ":";
  const bool v6 = upstream.host.find(':') != std::string::npos;
  std::string url = upstream.tls ? "https://" : "http://";
  url += v6 ? "[" + upstream.host + "]" : upstream.host;
  if (upstream.port != (upstream.tls ? 443 : 80)) url += ":" + std::to_string(upstream.port);
  return url;
}

std::string url_of(const config::upstream_settings& upstream, const routes::clean_target& target) {
  const auto url = origin_of(upstream) + upstream.base_path + target.path;
  return target.query.empty() ? url : url + "?" + target.query;
}

// Calls the classifier as the proxy does: first with the head, then with the body if one is needed.
std::variant<routes::classified, problem> classify(const config::configuration& config,
                                                   const asked_request& asked,
                                                   const routes::request_view& request,
                                                   const routes::clean_target& target,
                                                   std::vector<routes::mismatch>& why) {
  auto answer = config.routes.classify(request, target, nullptr, &why);
  if (std::holds_alternative<routes::needs_body>(answer)) {
    const std::string body = asked.body.value_or("");
    if (body.size() > config.values.limits.json_bytes) {
      return problem{problem_code::body_too_large,
                     "The body decides the price of this call and is larger than limits: json.",
                     std::nullopt,
                     {}};
    }
    answer =
        config.routes.classify(request, target, &body, &why, {config.values.limits.json_bytes});
  }
  if (auto* refused = std::get_if<problem>(&answer)) return std::move(*refused);
  return std::get<routes::classified>(std::move(answer));
}

// From the path, or else from the header.
void attribute(routes::classified& call, const routes::request_view& request,
               const config::identity_settings& identity) {
  const auto fill = [&](std::string& from_path, const std::string& header) {
    if (from_path.empty() && !header.empty()) from_path = request.header(header);
  };
  fill(call.agent, identity.agent_header);
  fill(call.conversation, identity.conversation_header);
}

// Tollgate answers these itself; see proxy/gateway/exchange/exchange.
bool is_billing(const std::string& path, const std::string& prefix) {
  return path == prefix || path.starts_with(prefix + "/");
}

void note_missing_body(explanation& what, const asked_request& asked) {
  const bool may_have_one = asked.method != "GET" && asked.method != "HEAD";
  if (asked.body || !may_have_one) return;
  what.notes.emplace_back("the request has no body; -d adds one");
}

bool asks_for_websocket(const std::vector<routes::header_view>& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const routes::header_view& field) {
    return routes::equal_ignoring_case(field.name, "upgrade") &&
           routes::equal_ignoring_case(field.value, "websocket");
  });
}

explanation explain(const config::configuration& config, const asked_request& asked) {
  std::vector<routes::header_view> headers;
  for (const auto& [name, value] : asked.headers) headers.push_back({name, value});
  const bool websocket = asked.method == "GET" && asks_for_websocket(headers);
  const routes::request_view request{asked.method, asked.target, headers, websocket};

  explanation what{asked.method, asked.target, {}, problem{}, {}, asked.notes};
  auto target = read_target(request);
  if (auto* refused = std::get_if<problem>(&target)) {
    what.outcome = std::move(*refused);
    return what;
  }
  what.target = std::get<routes::clean_target>(std::move(target));
  if (const auto& name = config.values.identity.key_query; !name.empty()) {
    auto taken = routes::take_query_key(*what.target, name);
    if (auto* refused = std::get_if<problem>(&taken)) {
      what.outcome = std::move(*refused);
      return what;
    }
  }
  if (is_billing(what.target->path, config.values.billing.prefix)) {
    what.outcome = explanation::answered_here{};
    return what;
  }
  auto found = classify(config, asked, request, *what.target, what.not_matched);
  if (auto* refused = std::get_if<problem>(&found)) {
    what.outcome = std::move(*refused);
    note_missing_body(what, asked);
    return what;
  }
  auto& call = std::get<routes::classified>(found);
  attribute(call, request, config.values.identity);
  const auto& values = config.values;
  const auto& upstream = find_named(values.upstreams, call.matched->settings.upstream);
  const auto& rate = find_named(values.rates, call.matched->settings.rate);
  what.outcome = explanation::forwarded{call, &upstream, &rate, url_of(upstream, *what.target)};
  return what;
}

}  // namespace

int run_explain(const explain_options& options, std::ostream& out, std::ostream& err) {
  const auto loaded = config::load_file(options.config, options.env);
  if (const auto* errors = std::get_if<std::vector<config::config_error>>(&loaded)) {
    for (const auto& error : *errors) err << to_string(error) << '\n';
    return 2;
  }
  const auto& config = std::get<config::configuration>(loaded);
  const auto made = make_request(options, config.values.limits.json_bytes);
  if (const auto* wrong = std::get_if<usage_error>(&made)) {
    err << "tollgate explain: " << wrong->message << '\n';
    return 2;
  }
  const explanation what = explain(config, std::get<asked_request>(made));
  if (options.json) {
    print_json(out, what);
  } else {
    print_text(out, what, options.config);
  }
  return std::holds_alternative<problem>(what.outcome) ? 1 : 0;
}

void add_explain_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "explain", "Explain what a request would cost, where it would go, and why");
  auto options = std::make_shared<explain_options>();
  command->add_option("--config", options->config, "the configuration, in YAML")
      ->capture_default_str()
      ->type_name("FILE");
  command->add_option("-X,--request", options->method, "the method; GET, or POST with -d")
      ->type_name("METHOD");
  command->add_option("-H,--header", options->headers, "a header, 'name: value'; may be repeated")
      ->allow_extra_args(false)
      ->type_name("HEADER");
  command->add_option("-d,--data", options->data, "the body, or @FILE; @- is standard input")
      ->allow_extra_args(false)
      ->type_name("BODY");
  command->add_flag("--json", options->json, "answer in JSON");
  command->add_option("url", options->url, "http(s)://host/path, host/path or /path")
      ->required()
      ->type_name("URL");
  command->callback(
      [options, &exit_code] { exit_code = run_explain(*options, std::cout, std::cerr); });
}

}  // namespace tollgate::proxy
