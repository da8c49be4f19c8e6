// Converts between Beast's messages and those of the handlers.
#pragma once

#include <optional>
#include <string>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "proxy/net/api/message.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::admin {

using http_request = boost::beast::http::request<boost::beast::http::string_body>;
using http_response = boost::beast::http::response<boost::beast::http::string_body>;

// Everything except the body.
api_request to_api(const http_request& head, std::string request_id);
http_response to_http(api_response&& from, const api_request& request, bool keep_alive);

api_error internal_error();
// Beast's refusal as an answer of the API; nullopt if no answer can be sent.
std::optional<api_error> refusal(error_code ec);

}  // namespace tollgate::proxy::admin
