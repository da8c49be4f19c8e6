// File descriptors: their limit, and how many connections it allows.
#pragma once

#include <cstddef>
#include <string>

#include "config/settings.hpp"

namespace tollgate::proxy {

// Raises the soft limit to the hard one, and returns it.
std::size_t raise_descriptor_limit();

// How the descriptors are divided. What the process needs for itself comes first: the store, the
// journal, the archive, deliveries. Then the other listeners, so that clients that take all
// connections do not keep out the administrator or a health check. A client needs two: its own
// connection, and the one to its upstream.
struct descriptor_shares {
  std::size_t process = 0;
  std::size_t admin = 0;    // connections; as many again for the metrics listener
  std::size_t events = 0;   // connections of the listener for Stripe's events
  std::size_t idle = 0;     // pooled connections to each upstream, in each thread
  std::size_t clients = 0;  // connections
};
descriptor_shares share_descriptors(std::size_t limit, int threads,
                                    const config::settings& settings);

// Lowers the limits of these settings to the shares. Returns a message if clients get few
// connections, or fewer than the file says.
std::string fit_to(std::size_t limit, int threads, config::settings& settings);

}  // namespace tollgate::proxy
