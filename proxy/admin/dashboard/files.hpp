// Answers GET / and /dashboard/VERSION/FILE, without token or session: they have no customer data.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/net/api/message.hpp"

namespace tollgate::proxy::dashboard {

// Nullopt: not a file of the dashboard.
std::optional<admin::api_response> file_response(std::string_view path,
                                                 std::string_view if_none_match);

}  // namespace tollgate::proxy::dashboard
