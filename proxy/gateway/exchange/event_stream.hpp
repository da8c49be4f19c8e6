// What happens to the caller's account, sent as it happens.
#pragma once

#include <memory>

#include "proxy/gateway/exchange/client_answer.hpp"
#include "proxy/gateway/exchange/context.hpp"
#include "proxy/net/api/body_source.hpp"

namespace tollgate::proxy {

// The head has been sent. Ends with the client, with its key, with a configuration that has been
// replaced, and when we are to go: nobody waits for it, and a client that comes again goes on where
// it stood. The connection ends with it, too.
task<> stream_events(exchange_context& context, client_answer& answer,
                     std::shared_ptr<admin::body_source> source);

}  // namespace tollgate::proxy
