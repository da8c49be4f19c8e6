// The facts about a call before it is forwarded: opened -> identified -> priced. Pure values; each
// stage needs those before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/gateway/headers.hpp"
#include "proxy/gateway/runtime.hpp"
#include "quota/directory.hpp"
#include "quota/task.hpp"
#include "routes/classify.hpp"

namespace tollgate::proxy {

using routes::problem;

// The contents of the head.
struct opened {
  routes::clean_target target;
};
result<opened, problem> open_call(const message_head& head);
// Whether such a call may continue.
result<void, problem> check_opened(const message_head& head, const hop_by_hop& hops,
                                   std::uint64_t announced_bytes, std::uint64_t most_bytes);

// Who pays, and to whom usage is attributed. The views refer to the request's head.
struct identified {
  quota::org_id org;
  std::string key_id;
  std::string_view agent, conversation;        // from the headers
  bool shadow = false;                         // the organization is only being observed
  bool suspended = false;                      // as of at most key_cache::max_age ago
  std::optional<quota::credits> allocation{};  // of the plan, per month
};
identified identify_call(const quota::key_owner& owner, const config::settings& settings);
result<void, problem> read_attribution(identified& payer, const routes::request_view& request,
                                       const config::identity_settings& settings);

// The route and kind of the call, and the most it can cost.
struct priced {
  routes::classified found;
  std::size_t route = 0;  // index of the route
};

struct call {
  hop_by_hop hops;
  opened head;
  identified payer;
  std::optional<priced> work;
  const routes::route* candidate = nullptr;  // may be its route, once the body has been read

  bool is_priced() const { return work.has_value(); }
  const routes::route& route() const { return *work->found.matched; }
  const std::string& path() const { return head.target.path; }
  bool is_shadow() const { return route().settings.shadow || payer.shadow; }
  bool is_metered_by(quota::meter_kind what) const {
    return is_priced() && route().price_at.meter == what;
  }
  // A name in the path takes precedence over a header.
  std::string_view agent() const;
  std::string_view conversation() const;
  quota::attribution attribution() const;
  // The dialect in which problems of this call are reported.
  routes::dialect dialect(const message_head& head) const;
};

// Calls that cannot be priced: a WebSocket whose seconds should be counted.
result<void, problem> check_priced(const call& what);

}  // namespace tollgate::proxy
