#include "proxy/net/http/field_rules.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace tollgate::proxy {

namespace {

// RFC 9110 section 6.5.1: fields that must be known before the body is read are too late in a
// trailer.
bool steers_its_message(http::field name) {
  switch (name) {
    case http::field::age:
    case http::field::cache_control:
    case http::field::content_encoding:
    case http::field::content_range:
    case http::field::content_type:
    case http::field::cookie:
    case http::field::date:
    case http::field::expires:
    case http::field::if_match:
    case http::field::if_modified_since:
    case http::field::if_none_match:
    case http::field::if_range:
    case http::field::if_unmodified_since:
    case http::field::location:
    case http::field::max_forwards:
    case http::field::pragma:
    case http::field::range:
    case http::field::retry_after:
    case http::field::set_cookie:
    case http::field::vary:
    case http::field::warning:
    case http::field::www_authenticate:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_framing(http::field name) {
  return name == http::field::content_length || name == http::field::transfer_encoding;
}

bool is_hop_by_hop(http::field name) {
  switch (name) {
    case http::field::connection:
    case http::field::keep_alive:
    case http::field::proxy_connection:
    case http::field::proxy_authorization:
    case http::field::proxy_authenticate:
    case http::field::te:
    case http::field::trailer:
    case http::field::upgrade:
    case http::field::expect:
    case http::field::http2_settings:
      return true;
    default:
      return false;
  }
}

namespace {

constexpr bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A table, because every field of a call is compared with a dozen names.
constexpr auto folded = [] {
  std::array<char, 256> out{};
  out.fill('-');
  for (int c = 0; c < 128; ++c) {
    if (!is_letter_or_digit(static_cast<char>(c))) continue;
    const bool upper = c >= 'A' && c <= 'Z';
    out[static_cast<std::size_t>(c)] = static_cast<char>(upper ? c | 32 : c);
  }
  return out;
}();
constexpr char fold(char c) {
  return folded[static_cast<unsigned char>(c)];
}

bool begins_field(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() && same_field(name.substr(0, prefix.size()), prefix);
}

}  // namespace

bool same_field(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (fold(a[i]) != fold(b[i])) return false;
  }
  return true;
}

std::string folded_field(std::string_view name) {
  std::string out{name};
  std::transform(out.begin(), out.end(), out.begin(), fold);
  return out;
}

bool is_ours(std::string_view name) {
  if (name.empty()) return false;
  switch (fold(name.front())) {
    case 'x':
      return begins_field(name, "x-tollgate-") || begins_field(name, "x-credits-");
    case 'r':
      return same_field(name, "ratelimit") || same_field(name, "ratelimit-policy");
    default:
      return false;
  }
}

bool is_replaced_in_request(std::string_view name) {
  if (is_ours(name)) return true;
  const auto is = [name](std::string_view other) { return same_field(name, other); };
  switch (name.size()) {
    case 3:
      return is("via");
    case 4:
      return is("host");
    case 9:
      return is("forwarded");
    case 11:
      return is("traceparent");
    case 12:
      return is("x-request-id");
    case 13:
      return is("x-http-method") || is("x-rewrite-url");
    case 14:
      return is("x-original-url");
    case 15:
      return is("x-forwarded-for");
    case 16:
      return is("x-forwarded-host");
    case 17:
      return is("x-forwarded-proto") || is("x-method-override");
    case 22:
      return is("x-http-method-override");
    default:
      return false;
  }
}

bool is_replaced_in_response(std::string_view name) {
  return is_ours(name) || same_field(name, "x-request-id") || is_caller_key(name);
}

bool is_request_rate(std::string_view name) {
  return same_field(name, "x-ratelimit-limit") || same_field(name, "x-ratelimit-remaining") ||
         same_field(name, "x-ratelimit-reset");
}

bool is_misspelt(std::string_view name) {
  const bool usual = std::all_of(name.begin(), name.end(),
                                 [](char c) { return is_letter_or_digit(c) || c == '-'; });
  if (usual) return false;
  const auto field = http::string_to_field(folded_field(name));
  return is_hop_by_hop(field) || is_framing(field);
}

bool is_caller_key(std::string_view name) {
  return same_field(name, "authorization") || same_field(name, "x-api-key");
}

bool fit_for_trailer(std::string_view name) {
  const auto field = http::string_to_field(folded_field(name));
  return !is_framing(field) && !is_hop_by_hop(field) && !is_misspelt(name) &&
         !steers_its_message(field) && !is_caller_key(name) && !is_replaced_in_request(name) &&
         !is_replaced_in_response(name) && !is_request_rate(name);
}

}  // namespace tollgate::proxy
