// Lets pages of configured origins read answers in a browser (CORS, the Fetch standard). Off unless
// `cors` is configured.
#pragma once

#include <string>

#include "config/settings.hpp"
#include "proxy/gateway/own_response.hpp"
#include "routes/classify.hpp"

namespace tollgate::proxy {

// Complete lines for the head of any answer to `request`; empty where CORS is off. An upstream's
// own fields of this kind are replaced by them.
std::string cors_lines(const config::cors_settings& settings, const routes::request_view& request);

// A browser asks whether a page may send a request. It sends no key, so it is answered before
// identification, and nothing is charged. A page of another origin gets no such answer.
bool is_preflight(const config::cors_settings& settings, const routes::request_view& request);
own_response answer_preflight(const config::cors_settings& settings,
                              const routes::request_view& request);

// Access-Control-*
bool is_cors_field(std::string_view name);

}  // namespace tollgate::proxy
