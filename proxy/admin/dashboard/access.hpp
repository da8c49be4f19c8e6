// The permissions of a session. Pure; they are decided only here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/admin/dashboard/sessions.hpp"
#include "proxy/net/api/message.hpp"

namespace tollgate::proxy::dashboard {

// Fields that a browser adds to a request.
struct browser_fields {
  std::string cookie;      // the whole Cookie field
  std::string csrf;        // X-Tollgate-CSRF
  std::string origin;      // set by the browser; pages cannot change it
  std::string fetch_site;  // Sec-Fetch-Site, likewise; sent over TLS and on loopback
  std::string host;
  std::string address{};  // of the client; set by the listener
};

constexpr std::string_view cookie_name = "tollgate_session";

// The session's id in the cookies, or nullopt; also if it is malformed.
std::string_view session_id_in(std::string_view cookie);

// Whether the request comes from a page of this origin, as far as the browser tells: not from
// another site, nor from another port of this host.
bool is_same_origin(const browser_fields& browser);

// The token that the page sends with every change. It is derived from the session's id, which no
// script can read.
std::string csrf_token(std::string_view session_id);

// An administrator may do everything; a customer may read its own organization. Paths are compared
// as written: an encoded equivalent is refused.
bool may_call(const session& who, std::string_view method, std::string_view path);

// Nullopt: this session may make this call.
std::optional<admin::api_error> refuse_call(const session& who, const browser_fields& browser,
                                            std::string_view method, std::string_view path);

admin::api_error forbidden(std::string code, std::string message);

}  // namespace tollgate::proxy::dashboard
