#include "proxy/gateway/headers.hpp"

#include <algorithm>

#include <boost/beast/core/string.hpp>

#include "proxy/gateway/cors.hpp"
#include "proxy/gateway/location.hpp"
#include "proxy/net/http/field_rules.hpp"
#include "proxy/net/http/write.hpp"

namespace tollgate::proxy {

using namespace std::string_view_literals;
using boost::beast::iequals;

namespace {

void append_framing(std::string& out, const body_shape& body) {
  if (body.how == framing::chunked) {
    out.append("Transfer-Encoding: chunked\r\n"sv);
  } else if (body.how == framing::length) {
    out.append("Content-Length: "sv);
    append_number(out, body.length);
    out.append("\r\n", 2);
  }
}

// Whether it is one of the fields that tell an upstream who pays.
bool identifies(const config::upstream_settings& upstream, std::string_view name) {
  if (!upstream.identify.on) return false;
  for (const auto* ours : upstream.identify.names()) {
    if (same_field(name, *ours)) return true;
  }
  return false;
}

bool is_set_by(const config::upstream_settings& upstream, std::string_view name) {
  if (identifies(upstream, name)) return true;
  for (const auto& [configured, value] : upstream.headers) {
    if (same_field(name, configured)) return true;
  }
  return false;
}

// All lines of a field as one comma-separated list, ending in ", " if there are any.
void append_list_so_far(std::string& out, const message_head& head, std::string_view name) {
  for (const auto& field : head.fields) {
    if (iequals(field.name, name)) out.append(field.value).append(", ", 2);
  }
}

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// version "-" trace-id "-" parent-id "-" flags; all-zero ids are invalid.
bool is_traceparent(std::string_view text) {
  return text.size() == 55 && text[2] == '-' && text[35] == '-' && text[52] == '-' &&
         text.substr(0, 2) != "ff" && is_lower_hex(text.substr(0, 2)) &&
         is_lower_hex(text.substr(3, 32)) && is_lower_hex(text.substr(36, 16)) &&
         is_lower_hex(text.substr(53, 2)) &&
         text.substr(3, 32).find_first_not_of('0') != std::string_view::npos &&
         text.substr(36, 16).find_first_not_of('0') != std::string_view::npos;
}

// The client's trace context: one valid traceparent, or none. Two of them count as none.
std::string_view inherited_trace(const message_head& head) {
  std::string_view found;
  for (const auto& field : head.fields) {
    if (!iequals(field.name, "traceparent")) continue;
    if (!found.empty() || !is_traceparent(field.value)) return {};
    found = field.value;
  }
  return found;
}

void append_traceparent(std::string& out, std::string_view inherited, quota::id_source& ids) {
  if (!inherited.empty()) return append_field(out, "traceparent", inherited);
  const auto trace = ids.next_hex128();
  const auto parent = ids.next_hex128();
  out.append("traceparent: 00-"sv).append(trace).append("-"sv);
  out.append(parent, 0, 15).append("1-00\r\n"sv);
}

void append_forwarded(std::string& out, const message_head& head, const request_facts& facts) {
  const std::string_view proto = facts.secure ? "https" : "http";
  const auto host = head.find(http::field::host);
  // RFC 7239 has no word for a unix socket.
  const auto node = facts.peer == "unix:"sv ? "unknown"sv : facts.peer;
  const bool v6 = node.find(':') != std::string_view::npos;
  out.append("X-Forwarded-For: "sv);
  append_list_so_far(out, head, "X-Forwarded-For");
  out.append(facts.peer).append("\r\nX-Forwarded-Proto: "sv).append(proto);
  if (!host.empty()) out.append("\r\nX-Forwarded-Host: "sv).append(host);
  out.append("\r\nForwarded: "sv);
  append_list_so_far(out, head, "Forwarded");
  out.append("for="sv).append(v6 ? "\"["sv : ""sv).append(node).append(v6 ? "]\""sv : ""sv);
  if (!host.empty()) out.append(";host=\""sv).append(host).append("\""sv);
  out.append(";proto="sv).append(proto).append("\r\n"sv);
}

void append_via(std::string& out, const message_head& head) {
  out.append("Via: "sv);
  append_list_so_far(out, head, "Via");
  out.append(head.version == 10 ? "1.0 tollgate\r\n"sv : "1.1 tollgate\r\n"sv);
}

// Fields that request an answer whose audio could not be measured: in a coding that Tollgate does
// not know, or without its beginning. A server may ignore all of them (RFC 9110, 12.5.3 and 14.2),
// so the client gets the whole answer.
bool asks_for_less(std::string_view name) {
  return same_field(name, "accept-encoding") || same_field(name, "range") ||
         same_field(name, "if-range");
}

// Fields that could make the upstream read another body than the one that was priced.
bool describes_body(std::string_view name) {
  return same_field(name, "content-type") || same_field(name, "content-transfer-encoding");
}

bool carries_key(std::string_view name, const std::vector<std::string>* more) {
  if (is_caller_key(name)) return true;
  return more != nullptr && std::any_of(more->begin(), more->end(), [name](const auto& other) {
           return same_field(name, other);
         });
}

void append_client_fields(std::string& out, const message_head& head, const request_facts& facts,
                          bool keeps_trace) {
  const auto& upstream = *facts.upstream;
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const auto& field = head.fields[i];
    if (is_framing(head.names[i]) || is_replaced_in_request(field.name)) continue;
    if (!upstream.forward_key && carries_key(field.name, facts.key_headers)) continue;
    if (is_set_by(upstream, field.name)) continue;
    if (facts.metered && asks_for_less(field.name)) continue;
    // tracestate belongs to the trace that its traceparent names.
    if (!keeps_trace && iequals(field.name, "tracestate")) continue;
    if (facts.content_type.empty() || !describes_body(field.name))
      append_field(out, field.name, field.value);
  }
  if (!facts.content_type.empty() && !is_set_by(upstream, "content-type"))
    append_field(out, "Content-Type", facts.content_type);
}

// Everything that Connection lists; empty in the usual case that it lists no field.
std::string fields_named_by_connection(const message_head& head) {
  std::string all;
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    if (head.names[i] != http::field::connection) continue;
    const auto value = head.fields[i].value;
    if (iequals(value, "keep-alive") || iequals(value, "close") || iequals(value, "upgrade"))
      continue;
    all.append(value).append(","sv);
  }
  return all;
}

// RFC 9110 section 7.8: only HTTP/1.1 upgrades. A request with a body would have to be read to its
// end first, and no WebSocket handshake has one.
bool asks_for_websocket(const message_head& head) {
  const auto length = head.find(http::field::content_length);
  return head.method == "GET" && head.version == 11 && (length.empty() || length == "0") &&
         !head.has(http::field::transfer_encoding) &&
         head.has_token(http::field::connection, "upgrade") &&
         iequals(head.find(http::field::upgrade), "websocket");
}

hop_by_hop read_hop_by_hop(const message_head& head) {
  hop_by_hop hops;
  hops.websocket = asks_for_websocket(head);
  hops.accepts_trailers = head.has_token(http::field::te, "trailers");
  if (head.version == 10) return hops;  // HTTP/1.0 has no Expect: RFC 9110 section 10.1.1
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    if (head.names[i] != http::field::expect) continue;
    const bool known = iequals(head.fields[i].value, "100-continue");
    (known ? hops.expects_continue : hops.unknown_expectation) = true;
  }
  return hops;
}

bool fit_for_request_id(std::string_view text) {
  if (text.empty() || text.size() > 128) return false;
  for (const char c : text) {
    const bool fine = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_' || c == '.' || c == ':';
    if (!fine) return false;
  }
  return true;
}

}  // namespace

hop_by_hop strip_hop_by_hop(message_head& head) {
  const auto hops = read_hop_by_hop(head);
  const std::string named = fields_named_by_connection(head);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const auto name = head.names[i];
    const bool essential = name == http::field::host || is_framing(name);
    if (is_hop_by_hop(name)) continue;
    if (name == http::field::unknown && is_misspelt(head.fields[i].name)) continue;
    if (!named.empty() && !essential && lists_token(named, head.fields[i].name)) continue;
    head.fields[kept] = head.fields[i];
    head.names[kept] = name;
    ++kept;
  }
  head.fields.resize(kept);
  head.names.resize(kept);
  return hops;
}

std::string choose_request_id(const message_head& head, quota::id_source& ids) {
  for (const auto& field : head.fields) {
    if (iequals(field.name, "x-request-id") && fit_for_request_id(field.value)) {
      return std::string{field.value};
    }
  }
  return ids.next_hex128();
}

void write_request_head(std::string& out, const message_head& head, const request_facts& facts,
                        quota::id_source& ids) {
  const auto& target = *facts.target;
  out.append(head.method).append(" ", 1);
  const auto target_begins = out.size();
  out.append(facts.upstream->base_path).append(target.path);
  if (!target.query.empty()) out.append("?", 1).append(target.query);
  const auto target_length = out.size() - target_begins;
  out.append(" HTTP/1.1\r\nHost: "sv).append(facts.authority).append("\r\n", 2);
  const auto trace = inherited_trace(head);
  append_client_fields(out, head, facts, !trace.empty());
  for (const auto& [name, value] : facts.upstream->headers) {
    if (!value.empty())
      append_field(out, name, value);  // empty: the client's field is removed and none is sent
  }
  if (facts.metered) append_field(out, "Accept-Encoding", "identity");
  if (facts.upstream->identify.on) {
    const std::string sent = out.substr(target_begins, target_length);
    append_identification(out, facts.upstream->identify, facts.caller,
                          {head.method, sent, facts.unix_seconds});
  }
  append_field(out, "X-Request-Id", facts.request_id);
  append_traceparent(out, trace, ids);
  if (facts.upstream->forwarded) append_forwarded(out, head, facts);
  if (facts.upstream->via) append_via(out, head);
  append_framing(out, facts.body);
  if (facts.websocket) out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n"sv);
  out.append("\r\n", 2);
}

namespace {

// Proxies in between must neither collect nor keep events.
void append_fields_of_events(std::string& out, const message_head& head) {
  if (!head.has(http::field::cache_control)) append_field(out, "Cache-Control", "no-cache");
  const bool says_so = std::any_of(head.fields.begin(), head.fields.end(), [](const auto& field) {
    return iequals(field.name, "X-Accel-Buffering");
  });
  if (!says_so) append_field(out, "X-Accel-Buffering", "no");
}

bool is_event_stream(std::string_view content_type) {
  constexpr std::string_view events = "text/event-stream";
  return iequals(content_type.substr(0, events.size()), events);
}

}  // namespace

void write_response_head(std::string& out, const message_head& head, const response_facts& facts) {
  out.append("HTTP/1.1 "sv);
  append_number(out, static_cast<std::uint64_t>(head.status));
  out.append(" ", 1).append(head.reason).append("\r\n", 2);
  bool events = false;
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const auto& field = head.fields[i];
    if (is_framing(head.names[i])) continue;
    if (head.names[i] == http::field::content_type) events = is_event_stream(field.value);
    if (!facts.cors.empty() && is_cors_field(field.name)) continue;
    if (facts.account.rate != nullptr && is_request_rate(field.name)) continue;
    if (facts.upstream != nullptr && identifies(*facts.upstream, field.name)) continue;
    if (facts.upstream != nullptr && shows_location(field.name)) {
      append_field(out, field.name, location_for_client(field.name, field.value, *facts.upstream));
    } else if (!is_replaced_in_response(field.name)) {
      append_field(out, field.name, field.value);
    } else if (same_field(field.name, "x-request-id")) {
      append_field(out, "X-Upstream-Request-Id", field.value);
    }
  }
  if (events) append_fields_of_events(out, head);
  append_field(out, "X-Request-Id", facts.request_id);
  out.append(facts.cors);
  write_account_fields(out, facts.account);
  if (facts.charge_in_trailer) append_field(out, "Trailer", "X-Credits-Charged");
  append_framing(out, facts.body);
  if (facts.websocket) {
    out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n"sv);
  } else if (facts.close) {
    out.append("Connection: close\r\n"sv);
  } else if (facts.client_is_1_0) {
    out.append("Connection: keep-alive\r\n"sv);
  }
  out.append("\r\n", 2);
}

}  // namespace tollgate::proxy
