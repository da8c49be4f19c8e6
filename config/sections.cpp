#include "config/sections.hpp"

#include <array>

#include "config/address.hpp"
#include "routes/text.hpp"

namespace tollgate::config {

using namespace std::chrono_literals;

std::optional<std::string> read_header_name(context& in, const node& from) {
  auto name = read_text_or_empty(in, from);
  if (!name || name->empty() || routes::is_token(*name)) return name;
  in.fail(from, describe(from) + " is not a header name");
  return {};
}

namespace {

// The name of a header from which attribution is read.
std::optional<std::string> read_attribution_header(context& in, const node& from) {
  auto name = read_header_name(in, from);
  if (!name) return {};
  for (const char* credential : {"authorization", "x-api-key"}) {
    if (!routes::equal_ignoring_case(*name, credential)) continue;
    in.fail(from, "the API key's header cannot name an agent or a conversation");
    return {};
  }
  return name;
}

// Compared in constant time with `Authorization: Bearer TOKEN`, so it may only have characters that
// this header can carry.
std::optional<std::string> read_token(context& in, const node& from) {
  auto token = read_text_or_empty(in, from);
  if (!token) return {};
  const auto visible = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!std::all_of(token->begin(), token->end(), visible)) {
    in.fail(from, "a token must be visible ASCII without blanks");
    return {};
  }
  return token;
}

std::optional<std::string> read_path_prefix(context& in, const node& from) {
  auto text = read_scalar(in, from, "a path");
  if (!text) return {};
  const std::string& path = text->text;
  const auto plain = [](char c) {
    return routes::is_alpha(c) || routes::is_digit(c) ||
           std::string_view{"/-._~"}.find(c) != std::string_view::npos;
  };
  const bool usable = path.size() > 1 && path.starts_with('/') && !path.ends_with('/') &&
                      path.find("//") == std::string::npos &&
                      path.find("/.") == std::string::npos &&
                      std::all_of(path.begin(), path.end(), plain);
  if (usable) return std::move(text->text);
  fail_expected(in, from, "a path (/v1/billing)", text->shown);
  return {};
}

}  // namespace

std::optional<tls_settings> read_tls(context& in, const node& from) {
  tls_settings out;
  map_reader map{in, from};
  map.required("certificate", out.certificate, read_text);
  map.required("key", out.key, read_text);
  map.finish();
  return out;
}

namespace {

// As many characters as 96 random bits have in base64.
constexpr std::size_t shortest_strong_token = 16;

bool is_loopback(const std::string& host) {
  return host.starts_with("127.") || host == "::1";
}

// With the token, credits can be given to every organization.
void warn_of_weak_token(context& in, const node& where, const admin_settings& admin) {
  const bool open = !is_loopback(admin.listen.host);
  const std::string reach =
      open ? ", and " + admin.listen.host + " can be reached from outside" : "";
  if (admin.token.empty()) {
    if (open) in.warn(where, "without a token the admin API refuses every call" + reach);
  } else if (admin.token.size() < shortest_strong_token) {
    in.warn(where, "the token has fewer than 16 characters and can be guessed" + reach +
                       "; to make one: openssl rand -hex 16");
  }
}

}  // namespace

std::optional<admin_settings> read_admin(context& in, const node& from) {
  admin_settings out;
  map_reader map{in, from};
  map.optional("listen", out.listen, read_endpoint);
  const bool has_token = map.optional("token", out.token, read_token);
  map.finish();
  if (has_token || map.find("token") == nullptr) {
    const auto* const token = map.find("token");
    warn_of_weak_token(in, token != nullptr ? *token : from, out);
  }
  return out;
}

std::optional<metrics_settings> read_metrics(context& in, const node& from) {
  metrics_settings out;
  map_reader map{in, from};
  map.optional("listen", out.listen, read_endpoint);
  map.finish();
  return out;
}

std::optional<hardening_settings> read_hardening(context& in, const node& from) {
  hardening_settings out;
  map_reader map{in, from};
  map.optional("system_call_filter", out.system_call_filter, read_flag);
  map.optional("core_dumps", out.core_dumps, read_flag);
  map.finish();
  return out;
}

// A directory, `off`, or a map.
std::optional<journal_settings> read_journal(context& in, const node& from) {
  journal_settings out;
  if (from.what != node::type::map) {
    if (from.what != node::type::scalar) {
      fail_expected(in, from, "a directory, off, or a map of keys", describe(from));
      return {};
    }
    auto directory = read_text(in, from);
    if (directory && *directory != "off") out.directory = *std::move(directory);
    return out;
  }
  constexpr std::uint64_t mib = 1024 * 1024;
  map_reader map{in, from};
  map.required("directory", out.directory, read_text);
  map.optional("max", out.max_bytes, size_between(16 * mib, 1024 * 1024 * mib));
  map.optional("sync_every", out.sync_every, duration_between(10ms, 1min));
  map.finish();
  return out;
}

std::optional<store_settings> read_store(context& in, const node& from) {
  store_settings out;
  if (from.what != node::type::map) {
    if (from.what != node::type::scalar) {
      fail_expected(in, from, "embedded:DIR, redis://HOST:PORT, unix:///PATH or a map of keys",
                    describe(from));
      return {};
    }
    auto url = read_store_url(in, from);
    if (url) out.url = *std::move(url);
    return out;
  }
  map_reader map{in, from};
  map.required("url", out.url, read_store_url);
  map.optional("wait", out.wait, duration_between(0s, 1min));
  map.optional("timeout", out.timeout, duration_between(100ms, 1min));
  map.optional("report_timeout", out.report_timeout, duration_between(1s, 10min));
  map.finish();
  return out;
}

namespace {

// Fields of the connection and of the body cannot carry a key: they are removed or rewritten.
std::optional<std::vector<std::string>> read_key_headers(context& in, const node& from) {
  auto names = read_texts(in, from);
  if (!names) return {};
  constexpr std::array<std::string_view, 8> taken{
      "host", "connection", "content-type",      "content-length",
      "te",   "upgrade",    "transfer-encoding", "cookie"};
  for (const auto& name : *names) {
    const auto same = [&](std::string_view other) {
      return routes::equal_ignoring_case(name, other);
    };
    if (routes::is_token(name) && std::none_of(taken.begin(), taken.end(), same)) continue;
    in.fail(from, quoted(name) + " is not a header that can carry a key");
    return {};
  }
  return names;
}

std::optional<std::string> read_query_name(context& in, const node& from) {
  auto text = read_scalar(in, from, "the name of a query member (key)");
  if (!text) return {};
  const auto plain = [](char c) {
    return routes::is_alpha(c) || routes::is_digit(c) || c == '-' || c == '_' || c == '.';
  };
  if (!text->text.empty() && text->text.size() <= 64 &&
      std::all_of(text->text.begin(), text->text.end(), plain)) {
    return std::move(text->text);
  }
  fail_expected(in, from, "the name of a query member (key)", text->shown);
  return {};
}

}  // namespace

std::optional<identity_settings> read_identity(context& in, const node& from) {
  identity_settings out;
  map_reader map{in, from};
  bool keys = true;  // the only way to identify a caller so far
  map.optional("keys", keys, read_flag);
  map.optional("key_headers", out.key_headers, read_key_headers);
  map.optional("key_query", out.key_query, read_query_name);
  map.optional("agent", out.agent_header, read_attribution_header);
  map.optional("conversation", out.conversation_header, read_attribution_header);
  map.optional(
      "on_revoked", out.on_revoked,
      choice<when_revoked>{{{"cut", when_revoked::cut}, {"finish", when_revoked::finish}}});
  map.not_yet("jwt", "identity from JSON Web Tokens");
  map.not_yet("trusted_header", "identity from a trusted header");
  map.finish();
  if (!keys) in.fail(from, "keys: must be true; there is no other identification");
  for (const auto& header : out.key_headers) {
    if (!routes::equal_ignoring_case(header, out.agent_header) &&
        !routes::equal_ignoring_case(header, out.conversation_header)) {
      continue;
    }
    in.fail(from, "key_headers: " + quoted(header) + " cannot also name an agent or conversation");
  }
  return out;
}

std::optional<timeout_settings> read_timeouts(context& in, const node& from) {
  timeout_settings out;
  map_reader map{in, from};
  const auto wait = duration_between(1ms, 24h);
  map.optional("client_head", out.client_head, wait);
  map.optional("client_body", out.client_body, wait);
  map.optional("client_write", out.client_write, wait);
  map.optional("connect", out.connect, wait);
  map.optional("response_head", out.response_head, wait);
  map.optional("idle", out.idle, wait);
  map.optional("total", out.total, duration_between(1ms, 30 * 24h));
  map.optional("keep_alive", out.keep_alive, wait);
  map.optional("drain", out.drain, duration_between(0ms, 24h));
  map.finish();
  return out;
}

std::optional<limit_settings> read_limits(context& in, const node& from) {
  constexpr std::size_t kib = 1024, mib = 1024 * kib;
  constexpr std::uint64_t least_buffered = mib, most = std::uint64_t{1} << 50;
  limit_settings out;
  map_reader map{in, from};
  map.optional("head", out.head_bytes, size_between(kib, mib));
  map.optional("json", out.json_bytes, size_between(kib, 1024 * mib));
  map.optional("buffered", out.buffered_bytes, size_between(least_buffered, most));
  map.optional("body", out.body_bytes, size_between(std::uint64_t{0}, most));
  map.optional("connections", out.connections, whole_between<std::size_t>(1, 1'000'000));
  map.optional("idle_upstream_connections", out.idle_upstream_connections,
               whole_between<std::size_t>(0, 100'000));
  map.finish();
  return out;
}

namespace {

std::optional<spool_settings> read_spool(context& in, const node& from) {
  constexpr std::uint64_t none = 0, most = std::uint64_t{1} << 50;
  spool_settings out;
  map_reader map{in, from};
  map.optional("directory", out.directory, read_text);
  map.optional("upload", out.upload_bytes, size_between(none, most));
  map.optional("total", out.total_bytes, size_between(none, most));
  map.finish();
  if (out.total_bytes < out.upload_bytes) in.fail(from, "total is less than upload");
  return out;
}

}  // namespace

std::optional<spool_settings> read_audio_of_all(context& in, const node& from) {
  spool_settings out;
  map_reader map{in, from};
  map.optional("spool", out, read_spool);
  map.finish();
  return out;
}

std::optional<hold_settings> read_holds(context& in, const node& from) {
  hold_settings out;
  map_reader map{in, from};
  map.optional("timeout", out.timeout, duration_between(1s, 24h));
  map.optional("sweep_every", out.sweep_every, duration_between(100ms, 1h));
  map.finish();
  return out;
}

std::optional<log_settings> read_log(context& in, const node& from) {
  log_settings out;
  map_reader map{in, from};
  const choice<std::string> level{
      {{"debug", "debug"}, {"info", "info"}, {"warn", "warn"}, {"error", "error"}}};
  map.optional("level", out.level, level);
  map.optional("access", out.access, read_text);
  map.finish();
  return out;
}

namespace {

std::optional<std::optional<request_rate>> read_rate_or_unlimited(context& in, const node& from) {
  if (from.text == "unlimited") return std::optional<request_rate>{};
  const auto rate = read_request_rate(in, from);
  if (!rate) return {};
  return std::optional{rate};
}

std::optional<std::optional<quota::credits>> read_credits_or_unlimited(context& in,
                                                                       const node& from) {
  if (from.text == "unlimited") return std::optional<quota::credits>{};
  const auto credits = read_credits(in, from);
  if (!credits) return {};
  return std::optional{credits};
}

}  // namespace

std::optional<billing_settings> read_billing(context& in, const node& from) {
  billing_settings out;
  map_reader map{in, from};
  map.optional("prefix", out.prefix, read_path_prefix);
  std::optional<request_rate> rate;
  if (map.optional("requests", rate, read_rate_or_unlimited)) {
    out.requests_per_minute = rate ? rate->per_minute : 0;
    out.burst = rate ? rate->burst : 0;
  }
  map.optional("at_once", out.at_once, whole_between(1, 1'000));
  map.finish();
  return out;
}

std::optional<critical_settings> read_critical(context& in, const node& from) {
  critical_settings out;
  map_reader map{in, from};
  map.optional("overdraft_credits", out.terms.overdraft, read_credits_or_unlimited);
  std::optional<request_rate> rate;
  if (map.optional("requests", rate, read_rate_or_unlimited)) {
    out.terms.requests_per_minute = rate ? rate->per_minute : 0;
    out.terms.burst = rate ? rate->burst : 0;
  }
  map.finish();
  return out;
}

}  // namespace tollgate::config
