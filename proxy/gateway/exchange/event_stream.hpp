// Sends the events of the caller's account as they happen.
#pragma once

#include <memory>

#include "proxy/gateway/exchange/client_answer.hpp"
#include "proxy/gateway/exchange/context.hpp"
#include "proxy/net/api/body_source.hpp"

namespace tollgate::proxy {

// The head has been sent. Ends with the client, with its key, when the configuration is replaced,
// and when this process drains: draining does not wait for it, and a client that reconnects
// continues where it stopped. The connection ends with the stream.
task<> stream_events(exchange_context& context, client_answer& answer,
                     std::shared_ptr<admin::body_source> source);

}  // namespace tollgate::proxy
