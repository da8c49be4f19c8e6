// A separate listener for Stripe's events: plain HTTP/1.1, one path. It runs on the control thread.
#pragma once

#include <memory>

#include "config/settings.hpp"
#include "proxy/net/api/small_listener.hpp"
#include "proxy/payments/event_receiver.hpp"

namespace tollgate::proxy::payments {

// Binds and listens; throws config::setting_error.
std::unique_ptr<admin::small_listener> make_event_listener(asio::io_context& context,
                                                           const config::endpoint& listen,
                                                           std::size_t connections,
                                                           event_taker taker);

}  // namespace tollgate::proxy::payments
