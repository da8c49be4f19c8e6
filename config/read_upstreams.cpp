#include <array>

#include "config/address.hpp"
#include "config/sections.hpp"
#include "routes/text.hpp"

namespace tollgate::config {
namespace {

// Fields that frame the message, belong to one connection, or tell the upstream about the caller:
// the proxy writes them, nobody else.
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
  // `Bearer ${KEY:-}` without a key: no header rather than a broken one.
  if (text->all_empty) return std::string{};
  const auto printable = [](char c) { return c >= ' ' && c < '\x7f'; };
  const std::string& value = text->text;
  if (!std::all_of(value.begin(), value.end(), printable)) {
    in.fail(from, "a header's value is printable ASCII");
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
      in.found.add(member.at, in.key + ": " + member.key + " is written by the proxy itself");
    } else if (std::any_of(out.begin(), out.end(), same_name)) {
      in.found.add(member.at, in.key + ": " + quoted(member.key) + " stands here twice");
    } else {
      const std::string outer = std::exchange(in.key, member.key);
      if (auto value = read_header_value(in, *member.value)) out.emplace_back(member.key, *value);
      in.key = outer;
    }
  }
  return out;
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
    out.base_path = url.base_path;
  }
  map.optional("headers", out.headers, read_headers);
  map.optional("ca_file", out.ca_file, read_text);
  map.optional("verify", out.verify, read_flag);
  map.optional("forward_key", out.forward_key, read_flag);
  map.finish();
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
