#include "config/sections.hpp"
#include "routes/text.hpp"

// Reads the structure of routes. routes::route_table compiles their patterns and checks them.
namespace tollgate::config {
namespace {

using routes::globs;
using conditions = std::vector<std::pair<std::string, globs>>;

// `model` is short for the pointer `/model`.
std::string to_pointer(const std::string& key) {
  if (key.starts_with('/')) return key;
  std::string out = "/";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string to_lower(const std::string& key) {
  std::string out = key;
  for (char& c : out) c = routes::lower(c);
  return out;
}

std::string unchanged(const std::string& key) {
  return key;
}

// `headers`, `query` and `json`: names, each with a glob or a list of globs. `normal` returns the
// form in which names are compared.
auto conditions_by(std::string (*normal)(const std::string&)) {
  return [=](context& in, const node& from) -> std::optional<conditions> {
    conditions out;
    if (from.what == node::type::null) return out;
    if (from.what != node::type::map || from.members.size() > most_values) {
      fail_expected(in, from, "a map of at most 64 names", describe(from));
      return {};
    }
    for (const node::member& member : from.members) {
      const std::string key = normal(member.key);
      const auto same = [&](const auto& other) { return other.first == key; };
      if (std::any_of(out.begin(), out.end(), same)) {
        in.found.add(member.at, in.key + ": " + quoted(member.key) + " is duplicated");
        continue;
      }
      const std::string outer = std::exchange(in.key, member.key);
      if (auto values = read_texts(in, *member.value)) out.emplace_back(key, *std::move(values));
      in.key = outer;
    }
    return out;
  };
}

// Registered methods (IANA), and one of caches.
constexpr std::string_view known_methods[]{"ACL",
                                           "BASELINE-CONTROL",
                                           "BIND",
                                           "CHECKIN",
                                           "CHECKOUT",
                                           "CONNECT",
                                           "COPY",
                                           "DELETE",
                                           "GET",
                                           "HEAD",
                                           "LABEL",
                                           "LINK",
                                           "LOCK",
                                           "MERGE",
                                           "MKACTIVITY",
                                           "MKCALENDAR",
                                           "MKCOL",
                                           "MKREDIRECTREF",
                                           "MKWORKSPACE",
                                           "MOVE",
                                           "OPTIONS",
                                           "ORDERPATCH",
                                           "PATCH",
                                           "POST",
                                           "PROPFIND",
                                           "PROPPATCH",
                                           "PURGE",
                                           "PUT",
                                           "QUERY",
                                           "REBIND",
                                           "REPORT",
                                           "SEARCH",
                                           "TRACE",
                                           "UNBIND",
                                           "UNCHECKOUT",
                                           "UNLINK",
                                           "UNLOCK",
                                           "UPDATE",
                                           "UPDATEREDIRECTREF",
                                           "VERSION-CONTROL"};

std::optional<std::vector<std::string>> read_methods(context& in, const node& from) {
  auto methods = read_texts(in, from);
  if (!methods) return {};
  const std::vector<std::string> known{std::begin(known_methods), std::end(known_methods)};
  for (const auto& method : *methods) {
    const bool in_capitals =
        std::none_of(method.begin(), method.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (!in_capitals || !routes::is_token(method)) continue;  // errors, reported with the routes
    if (std::find(known.begin(), known.end(), method) != known.end()) continue;
    in.warn(from, quoted(method) + " is no registered method of HTTP" +
                      routes::did_you_mean(method, known));
  }
  return methods;
}

// How the segment would be written here, if it looks like a pattern of another program; empty: it
// does not.
std::string pattern_of_others(std::string_view segment) {
  if (segment.size() > 1 && segment.front() == ':') {
    return "{" + std::string{segment.substr(1)} + "}";
  }
  if (segment.size() > 2 && segment.front() == '<' && segment.back() == '>') {
    const auto name = segment.substr(1, segment.size() - 2);
    return "{" + std::string{name.substr(name.find(':') + 1)} + "}";
  }
  for (const std::string_view sign : {".*", ".+", "[^", "\\d", "(?", "(.", "\\w"}) {
    if (segment.find(sign) != segment.npos) return "* or **";
  }
  return {};
}

std::optional<std::string> read_path(context& in, const node& from) {
  auto path = read_text(in, from);
  if (!path) return {};
  std::string_view rest = *path;
  while (!rest.empty()) {
    const auto segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), segment.size() + 1));
    const auto ours = pattern_of_others(segment);
    if (ours.empty()) continue;
    in.warn(from,
            quoted(segment) + " is taken literally; any text in its place is written " + ours);
  }
  return path;
}

std::optional<routes::match_settings> read_match(context& in, const node& from) {
  routes::match_settings out;
  map_reader map{in, from};
  map.optional("method", out.methods, read_methods);
  map.optional("host", out.hosts, read_texts);
  map.optional("path", out.path, read_path);
  map.optional("headers", out.headers, conditions_by(to_lower));
  map.optional("query", out.query, conditions_by(unchanged));
  map.optional("content_type", out.content_types, read_texts);
  map.optional("json", out.json, conditions_by(to_pointer));
  map.finish();
  return out;
}

std::optional<quota::settlement_policy> read_settlement(context& in, const node& from) {
  static const choice<quota::resolution> resolutions{
      {{"settle", quota::resolution::settle}, {"void", quota::resolution::void_hold}}};
  quota::settlement_policy out;
  map_reader map{in, from};
  map.optional("refused", out.refused, resolutions);
  map.optional("no_answer", out.no_answer, resolutions);
  map.optional("client_gone_early", out.client_gone_early, resolutions);
  // The key once covered both, and still does if the other one is absent.
  const auto* early = map.find("client_gone_early");
  if (early != nullptr) out.client_gone_waiting = out.client_gone_early;
  const bool is_void_by_it = early != nullptr && map.find("client_gone_waiting") == nullptr &&
                             out.client_gone_waiting == quota::resolution::void_hold;
  if (is_void_by_it) {
    in.warn(*early,
            "client_gone_early: void also applies to clients that leave after the upstream has "
            "their whole request: its work is done and not charged. If this is not intended, "
            "remove the line (void is its default) or add client_gone_waiting: settle; if it is, "
            "add client_gone_waiting: void");
  }
  map.optional("client_gone_waiting", out.client_gone_waiting, resolutions);
  map.optional("client_gone", out.client_gone, resolutions);
  map.optional("upstream_failed", out.upstream_failed, resolutions);
  map.optional("redirected", out.redirected, resolutions);
  map.optional("stream_error", out.stream_error, resolutions);
  map.optional("empty", out.empty, resolutions);
  map.finish();
  return out;
}

// A name that is declared elsewhere in the file.
auto name_among(const std::vector<std::string>& declared, std::string what) {
  return [&declared, what](context& in, const node& from) -> std::optional<std::string> {
    const bool vowel = std::string_view{"aeiou"}.find(what.front()) != std::string_view::npos;
    auto text = read_scalar(in, from, std::string{"the name of a"} + (vowel ? "n " : " ") + what);
    if (!text) return {};
    if (std::find(declared.begin(), declared.end(), text->text) != declared.end()) {
      return std::move(text->text);
    }
    in.fail(from,
            "unknown " + what + ": " + text->shown + routes::did_you_mean(from.text, declared));
    return {};
  };
}

routes::route_settings read_route(context& in, const node& from, const declared_names& declared) {
  static const choice<bool> modes{{{"enforce", false}, {"shadow", true}}};
  static const choice<routes::dialect> dialects{{{"platform", routes::dialect::platform},
                                                 {"openai", routes::dialect::openai},
                                                 {"anthropic", routes::dialect::anthropic}}};
  routes::route_settings out;
  out.at = from.at;
  map_reader map{in, from};
  map.required("name", out.name, read_name);
  map.required("match", out.match, read_match);
  map.required("upstream", out.upstream, name_among(declared.upstreams, "upstream"));
  map.required("action", out.action, read_name);
  map.required("rate", out.rate, name_among(declared.rates, "rate"));
  map.optional("model", out.model, read_text);
  map.optional("count", out.count, read_text);
  map.optional("critical", out.critical, read_flag);
  map.optional("mode", out.shadow, modes);
  map.optional("dialect", out.dialect, dialects);
  map.optional("settlement", out.settlement, read_settlement);
  map.optional("audio", out.audio, read_audio);
  map.finish();
  return out;
}

}  // namespace

std::optional<std::vector<routes::route_settings>> read_routes(context& in, const node& from,
                                                               const declared_names& declared) {
  std::vector<routes::route_settings> out;
  if (from.what != node::type::list) {
    fail_expected(in, from, "a list of routes", describe(from));
    return {};
  }
  if (from.items.empty() || from.items.size() > most_names) {
    fail_expected(in, from, "1 to 1000 routes", std::to_string(from.items.size()));
    return {};
  }
  for (const node_ptr& item : from.items) {
    const std::size_t before = in.found.count();
    routes::route_settings route = read_route(in, *item, declared);
    if (in.found.count() == before) out.push_back(std::move(route));
  }
  return out;
}

}  // namespace tollgate::config
