// Rules for header fields by name: which pass through the proxy and which do not.
#pragma once

#include <string>
#include <string_view>

#include <boost/beast/http/field.hpp>

namespace tollgate::proxy {

namespace http = boost::beast::http;

// Generated on each side, for the body that is sent there.
bool is_framing(http::field name);

// Always connection-specific; `Keep-Alive` and `Proxy-Connection` no longer have a registered
// meaning.
bool is_hop_by_hop(http::field name);

// Compares field names as upstreams do that turn them into variables (CGI, WSGI): there, `X_A`,
// `X.A` and `X-A` are the same. A deciding field must not arrive in another spelling.
bool same_field(std::string_view a, std::string_view b);
// The canonical spelling of all of these.
std::string folded_field(std::string_view name);

// Fields that only this proxy sets, on either side: X-Tollgate-*, X-Credits-*, RateLimit and its
// policy.
bool is_ours(std::string_view name);

// A connection-specific or framing field in another spelling: `Content_Length`.
bool is_misspelt(std::string_view name);

// Fields that are generated for the upstream, or that could make it read another request than the
// one that was classified.
bool is_replaced_in_request(std::string_view name);

// The upstream's own fields that would contradict this proxy's.
bool is_replaced_in_response(std::string_view name);

// X-RateLimit-Limit and similar: the upstream's contradict this proxy's if an account has a rate.
bool is_request_rate(std::string_view name);

bool is_caller_key(std::string_view name);

// Whether a trailer with that name is passed on. Trailers that frame, route, authenticate or charge
// are not.
bool fit_for_trailer(std::string_view name);

}  // namespace tollgate::proxy
