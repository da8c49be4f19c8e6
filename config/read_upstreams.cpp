#include <array>

#include "config/address.hpp"
#include "config/sections.hpp"
#include "routes/text.hpp"

namespace tollgate::config {

using namespace std::chrono_literals;

namespace {

// Fields that frame the message, belong to one connection, or describe the caller to the upstream:
// only the proxy writes them.
bool is_written_by_the_proxy(std::string_view name) {
  constexpr std::array fields{
      "connection",        "content-length",   "expect", "forwarded",       "host",
      "keep-alive",        "proxy-connection", "te",     "traceparent",     "trailer",
      "transfer-encoding", "upgrade",          "via",    "x-forwarded-for", "x-forwarded-host",
      "x-forwarded-proto", "x-request-id"};
  return std::any_of(fields.begin(), fields.end(), [&](std::string_view field) {
    return routes::equal_ignoring_case(name, field);
  });
}

using header = std::pair<std::string, std::string>;

std::optional<std::string> read_header_value(context& in, const node& from) {
  auto text = read_scalar(in, from, "text");
  if (!text) return {};
  // `Bearer ${KEY:-}` without a key: send no header instead of a broken one.
  if (text->all_empty) return std::string{};
  const auto printable = [](char c) { return c >= ' ' && c < '\x7f'; };
  const std::string& value = text->text;
  if (!std::all_of(value.begin(), value.end(), printable)) {
    in.fail(from, "a header's value must be printable ASCII");
    return {};
  }
  if (value.starts_with(' ') || value.ends_with(' ')) {
    in.fail(from, "a header's value cannot begin or end with a blank");
    return {};
  }
  return std::move(text->text);
}

std::optional<std::vector<header>> read_headers(context& in, const node& from) {
  std::vector<header> out;
  if (from.what == node::type::null) return out;
  if (from.what != node::type::map) {
    fail_expected(in, from, "a map of header names", describe(from));
    return {};
  }
  if (from.members.size() > most_values) {
    in.fail(from, "more than 64 headers");
    return {};
  }
  for (const node::member& member : from.members) {
    const auto same_name = [&](const header& other) {
      return routes::equal_ignoring_case(other.first, member.key);
    };
    if (!routes::is_token(member.key)) {
      in.found.add(member.at, in.key + ": " + quoted(member.key) + " is not a header name");
    } else if (is_written_by_the_proxy(member.key)) {
      in.found.add(member.at, in.key + ": " + member.key + " is set by the proxy itself");
    } else if (std::any_of(out.begin(), out.end(), same_name)) {
      in.found.add(member.at, in.key + ": " + quoted(member.key) + " is duplicated");
    } else {
      const std::string outer = std::exchange(in.key, member.key);
      if (auto value = read_header_value(in, *member.value)) out.emplace_back(member.key, *value);
      in.key = outer;
    }
  }
  return out;
}

// The name of a field to send.
std::optional<std::string> read_field_name(context& in, const node& from) {
  auto name = read_header_name(in, from);
  if (!name || !is_written_by_the_proxy(*name)) return name;
  in.fail(from, *name + " is set by the proxy itself");
  return {};
}

std::optional<identify_settings> read_names(context& in, const node& from) {
  identify_settings out;
  map_reader map{in, from};
  map.optional("org", out.org, read_field_name);
  map.optional("key_id", out.key_id, read_field_name);
  map.optional("agent", out.agent, read_field_name);
  map.optional("conversation", out.conversation, read_field_name);
  map.optional("timestamp", out.timestamp, read_field_name);
  map.optional("signature", out.signature, read_field_name);
  map.finish();
  const auto names = out.names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (names[i]->empty() || !routes::same_variable(*names[i], *names[k])) continue;
      in.fail(from, quoted(*names[i]) + " is duplicated");
    }
  }
  return out;
}

// `true`, `false`, or a map of the deviations from `true`.
std::optional<identify_settings> read_identify(context& in, const node& from) {
  identify_settings out;
  if (from.what != node::type::map) {
    if (from.what != node::type::scalar) {
      fail_expected(in, from, "true | false | a map of keys", describe(from));
      return {};
    }
    const auto on = read_flag(in, from);
    if (!on) return {};
    out.on = *on;
    return out;
  }
  std::string secret;
  map_reader map{in, from};
  map.optional("headers", out, read_names);
  map.optional("secret", secret, read_text_or_empty);
  map.finish();
  out.on = true;
  out.secret = std::move(secret);
  if (out.org.empty()) in.fail(from, "headers.org must have a name");
  if (!out.secret.empty() && (out.timestamp.empty() || out.signature.empty())) {
    in.fail(from, "a secret needs names for headers.timestamp and headers.signature");
  }
  return out;
}

// Whether this upstream sees the same key, the one set here, from all callers.
bool sets_a_key(const upstream_settings& upstream) {
  return std::any_of(upstream.headers.begin(), upstream.headers.end(), [](const header& set) {
    return !set.second.empty() && (routes::equal_ignoring_case(set.first, "authorization") ||
                                   routes::equal_ignoring_case(set.first, "x-api-key"));
  });
}

upstream_settings read_upstream(context& in, const std::string& name, const node& from) {
  upstream_settings out;
  out.name = name;
  map_reader map{in, from};
  upstream_url url;
  if (map.required("url", url, read_upstream_url)) {
    out.tls = url.tls;
    out.host = url.host;
    out.port = url.port;
    out.unix_path = url.unix_path;
    out.base_path = url.base_path;
  }
  map.optional("headers", out.headers, read_headers);
  map.optional("ca_file", out.ca_file, read_text);
  map.optional("verify", out.verify, read_flag);
  map.optional("forward_key", out.forward_key, read_flag);
  map.optional("identify", out.identify, read_identify);
  // A vendor is not told who calls, nor that there is a proxy: nginx does not compress answers to
  // requests with Via.
  out.forwarded = out.via = out.identify.on || is_private_host(out.host);
  map.optional("forwarded", out.forwarded, read_flag);
  map.optional("via", out.via, read_flag);
  map.optional("keep_alive", out.keep_alive, duration_between(0ms, 24h));
  map.finish();
  for (const auto* field : out.identify.names()) {
    const auto same = [&](const header& set) { return routes::same_variable(set.first, *field); };
    if (out.identify.on && std::any_of(out.headers.begin(), out.headers.end(), same)) {
      in.fail(from, quoted(*field) + " is set in headers and in identify");
    }
  }
  if (sets_a_key(out) && !out.identify.on && is_private_host(url.host)) {
    in.warn(from, "all organizations share the key that is set here, and " + name +
                      " is not told who calls; if it is your own service, set " + "identify: true");
  }
  const bool wants_tls = !out.ca_file.empty() || !out.verify;
  if (wants_tls && !url.host.empty() && !url.tls) {
    in.fail(from, "ca_file and verify are for https:// only");
  }
  return out;
}

}  // namespace

std::optional<std::vector<upstream_settings>> read_upstreams(context& in, const node& from) {
  std::vector<upstream_settings> out;
  for_each_named(in, from, [&](const std::string& name, const node& value) {
    out.push_back(read_upstream(in, name, value));
  });
  return out;
}

}  // namespace tollgate::config
