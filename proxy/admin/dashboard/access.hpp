// What a session may do: pure, and the only place where it is decided.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/admin/dashboard/sessions.hpp"
#include "proxy/net/api/message.hpp"

namespace tollgate::proxy::dashboard {

// What a browser says of itself beside the request.
struct browser_fields {
  std::string cookie;      // the whole Cookie field
  std::string csrf;        // X-Tollgate-CSRF
  std::string origin;      // set by the browser; a page cannot change it
  std::string fetch_site;  // Sec-Fetch-Site, likewise; sent over TLS and on loopback
  std::string host;
};

constexpr std::string_view cookie_name = "tollgate_session";

// The session's id in the cookies, or nothing: of a malformed one too.
std::string_view session_id_in(std::string_view cookie);

// The request was made by a page of this very address, as far as the browser tells: not by another
// site, nor by another port of this host.
bool is_same_origin(const browser_fields& browser);

// What the page must show with every change: it follows from the session's id, which only the
// cookie and nobody's script knows.
std::string csrf_token(std::string_view session_id);

// An administrator may do everything; a customer may read its own organization. Paths are compared
// as they are written: an encoded one that would come to the same is refused.
bool may_call(const session& who, std::string_view method, std::string_view path);

// Nothing: this session may make this call.
std::optional<admin::api_error> refuse_call(const session& who, const browser_fields& browser,
                                            std::string_view method, std::string_view path);

admin::api_error forbidden(std::string code, std::string message);

}  // namespace tollgate::proxy::dashboard
