#include "proxy/field_rules.hpp"

#include <algorithm>
#include <string>

#include <boost/beast/core/string.hpp>

namespace tollgate::proxy {

using boost::beast::iequals;

namespace {

// RFC 9110 section 6.5.1: what must be known before the body is read, and comes too late in a
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

bool same_field(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto fold = [](char c) {
      return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? char(c | 32) : c;
    };
    if (fold(a[i]) != fold(b[i])) return false;
  }
  return true;
}

bool is_replaced_in_request(std::string_view name) {
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
  switch (name.size()) {
    case 9:
      return iequals(name, "ratelimit");
    case 12:
      return iequals(name, "x-request-id");
    case 16:
      return iequals(name, "ratelimit-policy");
    case 17:
      return iequals(name, "x-credits-charged");
    case 19:
      return iequals(name, "x-credits-remaining");
    default:
      return false;
  }
}

bool is_request_rate(std::string_view name) {
  return iequals(name, "x-ratelimit-limit") || iequals(name, "x-ratelimit-remaining") ||
         iequals(name, "x-ratelimit-reset");
}

bool is_misspelt(std::string_view name) {
  if (name.find('_') == std::string_view::npos) return false;
  std::string meant{name};
  std::replace(meant.begin(), meant.end(), '_', '-');
  const auto field = http::string_to_field(meant);
  return is_hop_by_hop(field) || is_framing(field);
}

bool is_caller_key(std::string_view name) {
  return same_field(name, "authorization") || same_field(name, "x-api-key");
}

bool fit_for_trailer(std::string_view name) {
  const auto field = http::string_to_field(name);
  return !is_framing(field) && !is_hop_by_hop(field) && !is_misspelt(name) &&
         !steers_its_message(field) && !is_caller_key(name) && !is_replaced_in_request(name) &&
         !is_replaced_in_response(name);
}

}  // namespace tollgate::proxy
