// Which addresses are public. Pure.
//
// A user who may set a URL that Tollgate calls could otherwise reach what only Tollgate reaches:
// itself, its store, the machine's metadata service.
#pragma once

#include <boost/asio/ip/address.hpp>

namespace tollgate::proxy::outbound {

// Not public: loopback, private, link-local, shared (carrier NAT), documentation, benchmarks,
// multicast, reserved; nor one of these inside an IPv6 address that a gateway would translate.
bool is_public(const boost::asio::ip::address& address);

}  // namespace tollgate::proxy::outbound
