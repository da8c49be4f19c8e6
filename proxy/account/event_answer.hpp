// Answers a request for an account's events with a stream that starts at a position.
#pragma once

#include "proxy/account/event_feed.hpp"
#include "proxy/net/api/message.hpp"

namespace tollgate::proxy::admin {

// Without a feed there are no events.
task<api_response> answer_events(event_feed* feed, quota::org_id org, api_request request);

}  // namespace tollgate::proxy::admin
