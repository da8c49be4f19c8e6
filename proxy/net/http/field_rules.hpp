// Rules for header fields by name: which pass through the proxy and which do not.
#pragma once

#include <string>
#include <string_view>

#include <boost/beast/http/field.hpp>

namespace tollgate::proxy {

namespace http = boost::beast::http;

// Written anew on each side, by the body that is sent there.
bool is_framing(http::field name);

// Connection's own fields, always; `Keep-Alive` and `Proxy-Connection` have no registered meaning
// left.
bool is_hop_by_hop(http::field name);

// Field names as upstreams compare them that turn them into variables (CGI, WSGI): there, `X_A`,
// `X.A` and `X-A` are one. A field that decides something must not come in by another spelling.
bool same_field(std::string_view a, std::string_view b);
// The spelling that all of them have in common.
std::string folded_field(std::string_view name);

// Fields that only this proxy sets, to either side: X-Tollgate-*, X-Credits-*, RateLimit and its
// policy.
bool is_ours(std::string_view name);

// One of the connection's own fields, or of framing, in another spelling: `Content_Length`.
bool is_misspelt(std::string_view name);

// Fields that are written anew for the upstream, or that could make it read another request than
// the one that was classified.
bool is_replaced_in_request(std::string_view name);

// The upstream's own fields that would contradict what this proxy says.
bool is_replaced_in_response(std::string_view name);

// X-RateLimit-Limit and its kin: the upstream's contradict this proxy's where an account has a
// rate.
bool is_request_rate(std::string_view name);

bool is_caller_key(std::string_view name);

// Whether a trailer of that name is passed on. One that frames, routes, authenticates or charges is
// not.
bool fit_for_trailer(std::string_view name);

}  // namespace tollgate::proxy
