// Requests that have a route, and that an upstream could take for a dearer call.
#pragma once

#include <vector>

#include "routes/classify.hpp"

namespace tollgate::routes {

// Some servers take this call for `a`, some for `b`. Whether it could cost more as `b`, or be
// refused as `b` and pass as `a`.
bool may_be_dearer(const route& b, const route& a);

// A WebSocket begins with a GET, and what it will ask for comes in frames, as often as it likes. So
// it takes no route that is cheaper than one of the same endpoint for HTTP, not even the route of a
// GET that lists something. 426 then, and if the endpoint has a price for HTTP only.
classification check_upgrade(const std::vector<route>& routes, classification found,
                             const request_view& request, const clean_target& target);

}  // namespace tollgate::routes
