#include "proxy/admin/dashboard/files.hpp"

#include "proxy/admin/dashboard/assets.hpp"

namespace tollgate::proxy::dashboard {

namespace {

// Only our own scripts and styles. The page shows names of agents, which customers choose, as text;
// this policy would stop a script in them even if the page had a flaw.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

admin::api_response respond(std::string_view content_type, std::string_view content,
                            std::string_view cache_control, std::string_view if_none_match) {
  const auto etag = "\"" + version() + "\"";
  admin::api_response response{
      .content_type = std::string{content_type}, .body = {}, .headers = {}};
  response.headers = {{"Cache-Control", std::string{cache_control}},
                      {"ETag", etag},
                      {"Content-Security-Policy", std::string{content_security_policy}},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"},
                      {"Cross-Origin-Resource-Policy", "same-origin"}};
  if (if_none_match.find(etag) != std::string_view::npos) {
    response.status = 304;
  } else {
    response.body = content;
  }
  return response;
}

}  // namespace

std::optional<admin::api_response> file_response(std::string_view path,
                                                 std::string_view if_none_match) {
  if (path == "/" || path == "/dashboard" || path == "/dashboard/") {
    return respond("text/html; charset=utf-8", index_page(), "no-cache", if_none_match);
  }
  if (!path.starts_with(base_path())) return {};
  const auto* file = find_asset(path.substr(base_path().size()));
  if (file == nullptr) return {};
  return respond(file->content_type, file->content, "public, max-age=31536000, immutable",
                 if_none_match);
}

}  // namespace tollgate::proxy::dashboard
